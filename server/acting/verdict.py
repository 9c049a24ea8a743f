"""What a document, opened again, says about an act whose answer was lost.

An entry of the person at that step which was not there before, on a document that no longer waits for the
person: it was done. No longer waiting and no entry: somebody else was faster. Still waiting: nothing of it
shows. A call that was lost on our side may still arrive there, so that is believed only after
`SURE_AFTER_MS`, and even then an act from a page is never sent again by itself.

Forwarding leaves the document where it is: there an entry says that it was done, and nothing else says
anything.
"""

from typing import Final, Literal

from server.acting.documents import Act
from server.integrations.oa.documents import OpenedDocument

Verdict = Literal["done", "moved", "waits"]

SURE_AFTER_MS: Final = 30_000
"""A call whose answer was lost is not on its way any more after this: ours wait 10 s for their turn at most
and end 10 s later."""


def own_entries(opened: OpenedDocument, oa_user: str) -> tuple[str, ...]:
    """The person's entries at the step where the document is."""
    return tuple(
        one.id
        for one in opened.opinions
        if one.oa_user == oa_user and one.node_id == opened.node_id
    )


def is_waiting(opened: OpenedDocument) -> bool:
    """Whether the person is asked for something."""
    return bool(opened.actions.keys() - {"forward"})


def verdict(act: Act, opened: OpenedDocument, oa_user: str) -> Verdict:
    """What became of it."""
    shows = any(
        one.oa_user == oa_user and one.node_id == act.node_id and one.id not in act.known
        for one in opened.opinions
    )
    if act.action == "forward":
        return "done" if shows else "waits"
    if is_waiting(opened) and opened.node_id == act.node_id:
        return "waits"
    return "done" if shows else "moved"
