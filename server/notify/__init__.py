"""Notices: what is owed to people who are away, decided and sent.

A change leaves one `Owed` row in its own commit. The notifier looks at due rows, asks the feature's
`Duty` who is unsettled and presence whether the news has reached a screen, and queues a notice for
those who are away. Presence only *delays*: a notice is settled by the feature's own marks (read,
opened), by a proof that a connection took the news, or by being sent.

Promise: whatever is owed reaches WeCom's interface or ends in a visible row with the reason (refused,
dead). Bytes are stored before they are sent and the same bytes go again when nobody knows what became
of them, so that at most the calls in flight at a crash are repeated and a phone shows each once. Even
then nobody is sent what was taken back meanwhile, or has no account any more.

A notice may have buttons: what is pressed is done by the duty (`Acting`), and the card is changed
(`cards.py`).
"""

from server.notify.duty import Acting, Claim, Draft, Duty, NotYet, Quoting
from server.notify.notifier import Notifier
from server.outbox import Priority

__all__ = ["Acting", "Claim", "Draft", "Duty", "NotYet", "Notifier", "Priority", "Quoting"]
