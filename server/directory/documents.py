"""People and departments, as they are stored."""

from typing import ClassVar

import msgspec

from server.auth import Role
from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document


class Post(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place somebody holds in a department; a person may hold several, the first is the main one."""

    department_id: str
    title: str = ""
    leads: bool = False


class Person(Document, frozen=True):
    """A member of staff. The id is the account, which never changes and is never given again."""

    collection: ClassVar[Collection] = Collection(
        "people",
        indexes=(
            Index("employee_number", ("employee_number",), unique=True, sparse=True),
            Index("wecom_user_id", ("wecom_user_id",), unique=True, sparse=True),
            Index("oa_user_id", ("oa_user_id",), unique=True, sparse=True),
        ),
    )

    name: str
    employee_number: str = ""
    posts: tuple[Post, ...] = ()
    office_phone: str = ""
    mobile: str = ""
    email: str = ""
    roles: tuple[Role, ...] = (Role.STAFF,)
    wecom_user_id: str = ""
    oa_user_id: str = ""
    wecom_seen_id: str = ""
    """The WeCom user id under which a sync has met this person there. Only where it is the id held now
    does its being gone mean anything: an id that was never met may be a mistake of the list."""
    retired_at: Millis | None = None

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


class Department(Document, frozen=True):
    """A node of the hospital's tree; `order` sorts it among its siblings. One that was closed stays known
    by id, for what names it, and is nowhere else."""

    collection: ClassVar[Collection] = Collection(
        "departments",
        indexes=(
            Index("wecom_party_id", ("wecom_party_id",), unique=True, sparse=True),
            Index("oa_department_id", ("oa_department_id",), unique=True, sparse=True),
        ),
    )

    name: str
    parent_id: str | None = None
    order: int = 0
    wecom_party_id: int = 0
    """The department in WeCom that is this one; 0: none that is known."""
    oa_department_id: str = ""
    """What the OA calls this one in its forms."""
    retired_at: Millis | None = None

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


class WeComChange(Document, frozen=True):
    """WeCom has told that somebody, or a department, is not what it was there: whoever brings the two
    together has to look. The id is `user:<id>` or `party:<id>`; a later change replaces it."""

    collection: ClassVar[Collection] = Collection("wecom_changes", indexes=(Index("at", ("at",)),))

    change: str
    at: Millis
