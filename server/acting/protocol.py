"""What pages are told of acts, whichever feature they came by."""

from typing import ClassVar, Literal

import msgspec

from realtime.protocol import Event
from server.clock import Millis
from server.integrations.oa.documents import Action

ActState = Literal["asked", "done", "unknown", "moved", "refused"]
ActReason = Literal["", "never_arrived", "unfit"]


class ActCard(msgspec.Struct, frozen=True, kw_only=True):
    """What became of something the actor did here. `asked`: on its way. `unknown`: nobody knows yet
    whether the OA did it; it is read back, never sent again. `moved`: somebody was faster, nothing of
    it was done. `refused`: the OA would not; or it was not asked, because it could not be reached
    (`never_arrived`) or nothing it takes was filled in (`unfit`). The opinion is given back as it was
    typed. `may_repeat`: unknown, read back half a minute later, and the OA shows nothing of it, so that
    the actor may do it again knowingly."""

    client_id: str
    action: Action
    state: ActState
    asked_at: Millis
    opinion: str
    reason: ActReason = ""
    may_repeat: bool = False


class ActEnded(Event, frozen=True):
    """What the actor did with a document has ended, or is not known yet."""

    wire_name: ClassVar[str] = "documents.acted"
    request_id: str
    title: str
    act: ActCard
