"""The outbox: what people may have to be told, and every notice that came of it. It stores and leases;
`server.notify` decides and sends.

- `Owed`: something happened to a subject and somebody may have to be told. Written with the change
  itself, left as it is when more happens unless it would be due sooner, removed only in the version
  in which the notifier took it in hand.
- `Notice`: one notice for one person, and for good what became of it. The rows are the ledger that
  senders and administrators read.
- `Press`, `Withdrawal`: what happens to a card after it was sent (`after.py`). `Phone`: whether there is
  anywhere to send to.

Relied on: a notice is leased before it is sent, and its bytes are stored with the lease, so a crash
leaves either no call or a row that says which bytes may have gone out; they are replaced only when WeCom
is known not to have taken them, or must not be shown any more. At most one notice of a person and
subject waits unsent (`waiting_for` is unique). Whoever holds a row changes it only in the version he
read; a conflict means that it is no longer his.
"""

from server.outbox.after import Phone, Press, Withdrawal, phone_id, task_of
from server.outbox.ledger import Delivery, dead_letters, deliveries, purge
from server.outbox.notice import ENDED, TOLD, UNENDED, Notice, Priority, State, Why
from server.outbox.owed import Owed, coming
from server.outbox.pages import Filter, Page, ledger_page

DOCUMENTS = (Owed, Notice, Press, Withdrawal, Phone)
"""What a store has to hold for this."""

__all__ = [
    "DOCUMENTS",
    "ENDED",
    "TOLD",
    "UNENDED",
    "Delivery",
    "Filter",
    "Notice",
    "Owed",
    "Page",
    "Phone",
    "Press",
    "Priority",
    "State",
    "Why",
    "Withdrawal",
    "coming",
    "dead_letters",
    "deliveries",
    "ledger_page",
    "phone_id",
    "purge",
    "task_of",
]
