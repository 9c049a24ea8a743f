"""What the stand-ins are told by whoever starts them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class SandboxPerson:
    """Somebody the stand-ins know. The id is the WeCom user id, in whatever case it was given."""

    person_id: str
    name: str
    title: str = ""
    department: str = ""
    in_scope: bool = True
    """False: the WeCom app may not write to them (`invaliduser`)."""
    licensed: bool = True
    """False: no WeCom interface licence for them (`unlicenseduser`)."""
    parties: tuple[str, ...] = ()
    """Keys of departments, the main one first; none: the one named in `department`."""
    leads: tuple[str, ...] = ()
    number: str = ""
    mobile: str = ""
    email: str = ""
    biz_mail: str = ""
    """The address the company has given; `email` may be any."""


@dataclass(frozen=True, slots=True)
class SandboxParty:
    """A department in WeCom's contacts; "" as parent is the company."""

    key: str
    name: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class SandboxDepartment:
    """A department whose figures the HIS tells: an ordinary weekday's patients and operations."""

    department_id: str
    outpatients: int
    beds: int
    operations: int
    is_emergency: bool = False


@dataclass(frozen=True, slots=True)
class HisTarget:
    """Where the stand-in HIS sends to, and how it signs."""

    url: str
    key_id: str
    secret: str = field(repr=False)
    period_s: int = 10
    timezone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class OATarget:
    """Whom the stand-in OA calls when somebody's lists change: a whole address, and how it signs."""

    url: str
    secret: str = field(repr=False)
    key_id: str = "oa"
    between_s: float = 1.0
    """How long after a failed try comes the next; each time longer."""
    alive_s: float = 60.0
    """How long it is silent at most."""


@dataclass(frozen=True)
class SandboxConfig:
    """One sandbox: its folder, its port, the credentials it accepts and the people in it."""

    data_dir: Path
    """The product's data directory; the stand-ins use `sandbox/` in it."""
    people: Sequence[SandboxPerson]
    port: int = 8090
    host: str = "127.0.0.1"
    public_url: str = "http://127.0.0.1:8080"
    """Where Yuanxin itself is reached; the page links there."""
    corp_id: str = "wwsandbox"
    agent_id: int = 1_000_002
    secret: str = field(default="sandbox", repr=False)
    sms_secret: str = field(default="sandboxsms", repr=False)
    sync_secret: str = field(default="sandboxcontacts", repr=False)
    """The secret of the contacts' interface."""
    parties: Sequence[SandboxParty] = ()
    """WeCom's departments the first time; none: those that people name."""
    callback_token: str = field(default="", repr=False)
    callback_aes_key: str = field(default="", repr=False)
    callback_url: str = ""
    """Where the app is called back; empty: nobody has set that up."""
    menu: Mapping[str, Any] | None = None
    """The app's menu, until somebody sets another."""
    callback_try_s: float = 5.0
    callback_between_s: float = 1.0
    clock: Clock = field(default_factory=SystemClock)
    slow_s: float = 12.0
    """How long a slow answer takes: longer than a sensible client waits."""
    token_lifetime_s: int = 7_200
    token_calls: int = 0
    """After how many calls a token is dead before its time; 0: never."""
    seed_documents: int = 240
    """How many documents lie in an OA that has none yet."""
    oa_calls_out_to: OATarget | None = None
    """Whom the OA tells of changes; None: nobody."""
    departments: Sequence[SandboxDepartment] = ()
    his: HisTarget | None = None
    """None: the HIS sends nothing."""

    @property
    def state_dir(self) -> Path:
        """Where the stand-ins keep what must survive a kill."""
        return self.data_dir / "sandbox"
