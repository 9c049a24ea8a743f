"""The words of a sync: its plan and its conflicts, line by line, as an operator reads them."""

from collections.abc import Iterator, Sequence
from typing import Final

from server.directory.wecom_inward import InwardPlan
from server.directory.wecom_outward import OutwardPlan
from server.directory.wecom_plan import Conflict, Removal

MOST_SHOWN: Final = 500

_SENTENCES: Final = {
    "same_account": "账号属于 {other}，未新建。若是同一人，请在人员表的企业微信账号列写明后导入。",
    "same_number": "工号与 {other} 相同，未新建。请核对；若是同一人，请在人员表写明企业微信账号后导入。",
    "same_name": "与 {other} 同名同部门，未新建。若是同一人，请在人员表写明企业微信账号后导入；"
    "若不是，也请用人员表导入。",
    "same_phone": "手机与 {other} 相同，未新建。请核对。",
    "same_email": "邮箱与别人相同，未新建。请核对。",
    "renamed": "像是换了企业微信账号的 {other}，未新建，原来的人也未离职。请在人员表改企业微信账号后导入。",
    "name_differs": "人员表说这个账号是 {other}，姓名不同，未改动。请改正人员表或企业微信。",
    "number_differs": "工号与 {other} 的不同，未改动。请核对两边。",
    "unusable": "账号或姓名不能使用，未新建。",
    "hidden": "企业微信账号 {other} 不在应用的可见范围内，未改动。请扩大可见范围。",
    "never_met": "企业微信不认识账号 {other}，也从未见过，未改动。请改正人员表。",
    "no_contact": "既无手机也无邮箱，企业微信不收。请在人员表补上。",
    "refused": "企业微信拒绝：{other}。",
    "department_name": "同一上级下重名，或上级不通，未改动。请在企业微信改正。",
    "department_in_use": "企业微信已没有此部门，但还有 {other} 人或下级部门在内，未关闭。",
    "department_exists": "企业微信的同一上级下已有同名部门。",
    "department_hidden": "部门不在应用的可见范围内，未改动。{other}",
    "meanwhile": "期间被改动，下次再比。",
}
_PEOPLE_FIELDS: Final = {
    "name": "姓名",
    "posts": "部门职务",
    "title": "职务",
    "employee_number": "工号",
    "wecom_seen_id": "",
}
_DEPARTMENT_FIELDS: Final = {
    "name": "名称",
    "parent_id": "上级",
    "order": "次序",
    "wecom_party_id": "与企业微信对应",
}


def said(conflict: Conflict) -> str:
    """A conflict as one line."""
    return f"! {conflict.who}：{_SENTENCES[conflict.kind].format(other=conflict.other)}"


def said_all(conflicts: Sequence[Conflict]) -> list[str]:
    """All conflicts, one a line."""
    return [said(conflict) for conflict in conflicts]


def inward_counts(plan: InwardPlan) -> dict[str, int]:
    """How many of what, by English names, for whoever counts."""
    return {
        "new": len(plan.new),
        "changed": len(plan.changed),
        "met": len(plan.met),
        "leaving": len(plan.leaving),
        "unchanged": plan.unchanged,
        "new_departments": len(plan.tree.new),
        "changed_departments": len(plan.tree.changed),
        "closing": len(plan.closing),
        "conflicts": len(plan.conflicts),
    }


def outward_counts(plan: OutwardPlan) -> dict[str, int]:
    """The same the other way round."""
    return {
        "new": len(plan.new),
        "changed": len(plan.changed),
        "met": len(plan.met),
        "leaving": len(plan.leaving),
        "unchanged": plan.unchanged,
        "foreign": plan.foreign,
        "new_departments": len(plan.new_parties),
        "changed_departments": len(plan.changed_parties) + len(plan.linked),
        "closing": len(plan.closing),
        "conflicts": len(plan.conflicts),
    }


def summary(direction: str, counts: dict[str, int]) -> str:
    """One line of what would happen, or has."""
    where = "企业微信 → 院信" if direction == "from_wecom" else "院信 → 企业微信"
    foreign = f"，企业微信另有 {counts['foreign']} 人不动" if counts.get("foreign") else ""
    return (
        f"{where}：新增 {counts['new']} 人，变更 {counts['changed']} 人，离职 {counts['leaving']} 人，"
        f"初次对上 {counts['met']} 人，不变 {counts['unchanged']} 人{foreign}；"
        f"部门新增 {counts['new_departments']}，变更 {counts['changed_departments']}，"
        f"关闭 {counts['closing']}；冲突 {counts['conflicts']} 处。"
    )


def shown_inward(plan: InwardPlan) -> list[str]:
    """The plan line by line, conflicts last."""
    acts = [
        *(f"+ 部门 {d.name}" for d in plan.tree.new),
        *(
            f"~ 部门 {c.after.name}：{_fields(c.fields, _DEPARTMENT_FIELDS)}"
            for c in plan.tree.changed
        ),
        *(f"+ {person.id} {person.name}" for person in plan.new),
        *(
            f"~ {c.after.id} {c.after.name}：{_fields(c.fields, _PEOPLE_FIELDS)}"
            for c in plan.changed
        ),
        *(f"- {person.id} {person.name}" for person in plan.leaving),
        *(f"- {person.id} {person.name}：已在企业微信禁用，退出登录" for person in plan.disabled),
        *(f"- 部门 {department.name}" for department in plan.closing),
    ]
    counted = summary("from_wecom", inward_counts(plan))
    return [counted, *_first(acts), *_first(said_all(plan.conflicts)), *_held(plan.removal)]


def shown_outward(plan: OutwardPlan) -> list[str]:
    """The plan line by line, conflicts last."""
    acts = [
        *(f"= 部门 {d.name}：对应企业微信部门 {party}" for d, party in plan.linked),
        *(f"+ 部门 {d.name}" for d in plan.new_parties),
        *(
            f"~ 部门 {c.after.name}：{_fields(c.fields, _DEPARTMENT_FIELDS)}"
            for c in plan.changed_parties
        ),
        *(f"+ {w.person.id} {w.person.name}" for w in plan.new),
        *(
            f"~ {w.person.id} {w.person.name}：{_fields(w.fields, _PEOPLE_FIELDS)}"
            for w in plan.changed
        ),
        *(f"- {user_id} {person.name}" for person, user_id in plan.leaving),
        *(f"- 部门 {department.name}" for department, _ in plan.closing),
    ]
    counted = summary("to_wecom", outward_counts(plan))
    return [counted, *_first(acts), *_first(said_all(plan.conflicts)), *_held(plan.removal)]


def _held(removal: Removal) -> Iterator[str]:
    if removal.held:
        already = removal.people_before + removal.departments_before
        earlier = f"（今天已有 {already}）" if already else ""
        yield (
            f"离职 {removal.people}/{removal.of_people} 人、关闭部门 "
            f"{removal.departments}/{removal.of_departments} 个，超过 5 %{earlier}：这部分须加 "
            "--confirm-removals 才执行。"
        )


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MOST_SHOWN]
    if len(lines) > MOST_SHOWN:
        yield f"……还有 {len(lines) - MOST_SHOWN} 行"


def _fields(fields: Sequence[str], names: dict[str, str]) -> str:
    return "、".join(names[field] for field in fields if names[field])
