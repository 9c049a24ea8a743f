"""Bringing the directory in line with a spreadsheet."""

from typing import Any

import pytest

from server.auth import Role, Session
from server.directory import Department, Person, Post
from server.directory.staff_import import import_staff
from server.nodes import BULLETIN
from server.storage import Insert, Op, Patch
from server.storage.document import to_doc
from server.storage.sqlite import SqliteStore
from tests.directory.staff_office import ANN, BOB, Office, office

__all__ = ["office"]


async def test_a_dry_run_shows_and_changes_nothing(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await office.bring(ANN, BOB, apply=False) == 0

    shown = capsys.readouterr().out
    assert "新增 2 人，变更 0 人，离职 0 人，不变 0 人；新部门 2 个" in shown
    assert "+ ann 安宁" in shown
    assert (await office.directory()).active() == []
    assert await office.audited() == []


async def test_people_and_their_departments_are_made(office: Office) -> None:
    assert await office.bring({**ANN, "手机": 10000000001, "OA编号": 7.0}, BOB) == 0

    ann = await office.person("ann")
    directory = await office.directory()
    assert (ann.name, ann.employee_number, ann.mobile, ann.oa_user_id) == (
        "安宁",
        "1001",
        "10000000001",
        "7",
    )
    assert [(b.department.name, b.people_count) for b in directory.tree] == [
        ("内科", 2),
        ("心内科", 2),
    ]
    assert [p.name for p in directory.search("anning")] == ["安宁"]


async def test_the_same_file_again_changes_nothing(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await office.bring(ANN, BOB)
    audited = await office.audited()
    capsys.readouterr()

    assert await office.bring(ANN, BOB) == 0

    assert "变更 0 人，离职 0 人，不变 2 人；新部门 0 个" in capsys.readouterr().out
    assert await office.audited() == audited


async def test_a_change_names_its_fields(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await office.bring(ANN, BOB)
    await office.bring({**ANN, "邮箱": "ann@hospital.example", "职务": "护师"}, BOB)

    assert "~ ann 安宁：posts、email" in capsys.readouterr().out
    assert (await office.person("ann")).posts[0].title == "护师"
    assert (await office.audited())[-1].detail["changed"] == {"ann": ["posts", "email"]}


async def test_several_rows_of_one_number_are_several_posts(office: Office) -> None:
    second = {"工号": "1001", "姓名": "安宁", "账号": "ann", "部门": "教研室", "角色": "负责人"}

    assert await office.bring({**ANN, "手机": "10000000001"}, second) == 0

    ann = await office.person("ann")
    departments = {d.id: d.name for d in (await office.directory()).departments()}
    held = [(departments[p.department_id], p.title, p.leads) for p in ann.posts]
    assert held == [("心内科", "护士", False), ("教研室", "", True)]
    assert set(ann.roles) == {Role.STAFF, Role.LEADER}
    assert ann.mobile == "10000000001"


async def test_who_is_not_in_the_file_has_left_and_is_signed_out(office: Office) -> None:
    await office.bring(ANN, {**BOB, "企业微信账号": "wx-bob"})
    session = Session(
        id="s", person_id="bob", token_hash="h", created_at=1, seen_at=1, expires_at=2
    )
    await office.store.apply(Insert(Session.collection.name, to_doc(session)))

    await office.bring(ANN)

    bob = await office.person("bob")
    kept = await office.store.get(Session.collection.name, "s")
    assert bob.is_retired
    assert bob.wecom_user_id == ""
    assert kept is not None
    assert kept["revoked_at"] == office.clock.now()


async def test_who_comes_back_is_the_same_person(office: Office) -> None:
    await office.bring(ANN, BOB)
    await office.bring(ANN)

    await office.bring(ANN, BOB)

    assert not (await office.person("bob")).is_retired


async def test_people_without_an_employee_number_are_left_alone(office: Office) -> None:
    robot = Person(id="robot", name="系统账号", wecom_user_id="robot")
    await office.store.apply(Insert(Person.collection.name, to_doc(robot)))

    await office.bring(ANN)

    assert await office.person("robot") == robot


async def test_ids_of_other_systems_may_change_hands(office: Office) -> None:
    await office.bring({**ANN, "企业微信账号": "w1"}, {**BOB, "企业微信账号": "w2"})

    assert await office.bring({**ANN, "企业微信账号": "w2"}, {**BOB, "企业微信账号": "w1"}) == 0

    assert (await office.person("ann")).wecom_user_id == "w2"
    assert (await office.person("bob")).wecom_user_id == "w1"


async def test_an_empty_cell_takes_no_wecom_id_that_was_proved_or_made_by_a_sync(
    office: Office,
) -> None:
    await office.bring(ANN, BOB)
    proved = Patch(Person.collection.name, "ann", {"wecom_user_id": "wx-ann"})
    await office.store.apply(proved)

    await office.bring({**ANN, "职务": "护师"}, BOB)
    kept = (await office.person("ann")).wecom_user_id
    await office.bring(ANN, {**BOB, "企业微信账号": "wx-ann"})

    assert kept == "wx-ann"
    assert (await office.person("ann")).wecom_user_id == ""
    assert (await office.person("bob")).wecom_user_id == "wx-ann"


async def test_a_corrected_wecom_id_ends_the_sessions_that_came_by_the_wrong_one(
    office: Office,
) -> None:
    await office.bring({**ANN, "企业微信账号": "wrong"}, BOB)
    for id, by_wecom in (("phone", True), ("desk", False)):
        session = Session(
            id=id,
            person_id="ann",
            token_hash=id,
            created_at=1,
            seen_at=1,
            expires_at=2,
            by_wecom=by_wecom,
        )
        await office.store.apply(Insert(Session.collection.name, to_doc(session)))

    await office.bring({**ANN, "企业微信账号": "wx-ann"}, BOB)

    sessions = await office.store.scan(Session.collection.name)
    assert [s["_id"] for s in sessions if s.get("revoked_at")] == ["phone"]
    words = await office.store.scan(BULLETIN.name)
    assert [word["session_ids"] for word in words if "session_ids" in word] == [["phone"]]


async def test_columns_that_are_missing_stay_as_they_were(office: Office) -> None:
    await office.bring({**ANN, "手机": "10000000001", "角色": "负责人"})

    await office.bring({**ANN, "职务": "护师"}, columns=["工号", "姓名", "账号", "部门", "职务"])

    ann = await office.person("ann")
    assert ann.mobile == "10000000001"
    assert Role.LEADER in ann.roles
    assert ann.posts[0].leads
    assert ann.posts[0].title == "护师"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**ANN, "姓名": ""}], "第 2 行 · 姓名：是空的。请填写"),
        ([ANN, {**BOB, "工号": None}], "第 3 行 · 工号：是空的"),
        ([{**ANN, "账号": "安宁"}], "第 2 行 · 账号：“安宁”不合要求"),
        ([{**ANN, "邮箱": "ann"}], "第 2 行 · 邮箱"),
        ([{**ANN, "手机": "电话"}], "第 2 行 · 手机"),
        ([{**ANN, "OA编号": "x1"}], "第 2 行 · OA编号"),
        ([{**ANN, "部门": "内科//心内科"}], "第 2 行 · 部门：路径不合要求"),
        ([{**ANN, "部门": "/".join("一二三四五六七八九十甲")}], "最多 10 级"),
        ([{**ANN, "角色": "院长"}], "没有角色“院长”"),
        ([{**ANN, "角色": "系统管理员、审计管理员"}], "三员分立"),
        ([{**ANN, "姓名": "=1+1"}], "第 2 行 · 姓名：是公式"),
        ([{**ANN, "姓名": "安" * 201}], "超过 200 个字"),
        ([ANN, {**BOB, "账号": "ANN"}], "第 3 行 · 账号：“ANN”与工号 1001 重复"),
        (
            [{**ANN, "企业微信账号": "w"}, {**BOB, "企业微信账号": "w"}],
            "第 3 行 · 企业微信账号：“w”与工号 1001 重复",
        ),
        ([ANN, {**ANN, "姓名": "别人"}], "第 3 行 · 姓名：与第 2 行同一工号的内容不同"),
    ],
)
async def test_every_mistake_is_named_by_row_and_column_and_nothing_is_applied(
    office: Office, rows: list[dict[str, Any]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await office.bring(*rows) == 1

    assert said in capsys.readouterr().out
    assert (await office.directory()).active() == []


async def test_all_mistakes_are_shown_at_once(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await office.bring({**ANN, "姓名": "", "邮箱": "x"}, {**BOB, "账号": "!"})

    assert "有 3 处需要改正" in capsys.readouterr().out


async def test_an_account_never_changes_and_is_never_given_again(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await office.bring(ANN, BOB)

    assert await office.bring({**ANN, "账号": "ann2"}, BOB) == 1
    assert "账号不能更改" in capsys.readouterr().out
    await office.bring(ANN)
    assert await office.bring(ANN, {**BOB, "工号": "1003"}) == 1
    assert "账号不会再给别人" in capsys.readouterr().out


async def test_an_id_of_somebody_outside_the_file_is_not_taken(office: Office) -> None:
    robot = Person(id="robot", name="系统账号", wecom_user_id="robot")
    await office.store.apply(Insert(Person.collection.name, to_doc(robot)))

    assert await office.bring({**ANN, "企业微信账号": "robot"}) == 1


async def test_a_file_of_few_does_not_dismiss_the_rest(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [{**ANN, "工号": str(2000 + n), "账号": f"p{n}", "姓名": f"人{n}"} for n in range(30)]
    await office.bring(*many)

    assert await office.bring(ANN) == 1
    assert "文件可能只是一部分人员" in capsys.readouterr().out
    assert len((await office.directory()).active()) == 30


async def test_known_departments_are_found_by_their_path(office: Office) -> None:
    ward = Department(id="ward", name="心内科", parent_id="internal")
    await office.store.apply(
        Insert("departments", to_doc(Department(id="internal", name="内科"))),
        Insert("departments", to_doc(ward)),
    )

    await office.bring(ANN)

    assert (await office.person("ann")).posts == (Post(department_id="ward", title="护士"),)


async def test_departments_take_the_oas_numbers_and_pass_them_on(office: Office) -> None:
    ward = {**ANN, "OA部门编号": "7"}
    office_row = {**BOB, "部门": "院办", "OA部门编号": "8"}
    assert await office.bring(ward, office_row) == 0
    before = (await office.directory()).department_by_oa("7")
    assert before is not None
    assert before.name == "心内科"

    # They change hands; what is left empty stays.
    assert await office.bring({**ward, "OA部门编号": "8"}, {**office_row, "OA部门编号": "7"}) == 0
    assert await office.bring(ANN, office_row | {"OA部门编号": None}) == 0

    after = (await office.directory()).department_by_oa("8")
    assert after is not None
    assert after.id == before.id


async def test_a_number_of_the_oa_is_one_departments(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = [{**ANN, "OA部门编号": "7"}, {**BOB, "部门": "院办", "OA部门编号": "7"}]
    differing = [{**ANN, "OA部门编号": "7"}, {**BOB, "OA部门编号": "8"}]

    assert await office.bring(*twice) == 1
    assert await office.bring(*differing) == 1
    assert "OA部门编号" in capsys.readouterr().out


# Beside servers that are running


class Beside:
    """A store on which somebody else does something just before the first batch is stored."""

    def __init__(self, store: SqliteStore, meanwhile: Op) -> None:
        self._store = store
        self._meanwhile: list[Op] = [meanwhile]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def apply(self, *ops: Op, **named: Any) -> Any:
        while self._meanwhile:
            await self._store.apply(self._meanwhile.pop())
        return await self._store.apply(*ops, **named)


async def bring_beside(office: Office, meanwhile: Op, *rows: dict[str, Any]) -> int:
    beside: Any = Beside(office.store, meanwhile)
    return await import_staff(office.write(*rows), beside, office.clock, True)


@pytest.mark.parametrize(
    ("field", "value"), [("wecom_user_id", "wx-ann"), ("retired_at", 7), ("wecom_seen_id", "wx")]
)
async def test_what_became_of_somebody_while_the_file_was_read_stays(
    office: Office, field: str, value: str | int
) -> None:
    await office.bring({**ANN, "OA编号": 7}, BOB)
    meanwhile = Patch(Person.collection.name, "ann", {field: value})

    assert await bring_beside(office, meanwhile, {**ANN, "OA编号": 7, "职务": "护师"}, BOB) == 0

    ann = await office.person("ann")
    assert (getattr(ann, field), ann.oa_user_id, ann.posts[0].title) == (value, "7", "护师")


async def test_who_leaves_keeps_what_was_changed_meanwhile(office: Office) -> None:
    await office.bring(ANN, {**BOB, "手机": "10000000001", "企业微信账号": "w2"})
    meanwhile = Patch(Person.collection.name, "bob", {"mobile": "10000000002"})

    assert await bring_beside(office, meanwhile, ANN) == 0

    bob = await office.person("bob")
    assert bob.is_retired
    assert (bob.mobile, bob.wecom_user_id) == ("10000000002", "")


async def test_somebody_made_meanwhile_is_not_overwritten(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await office.bring(ANN)
    bob = Person(id="bob", name="鲍博", wecom_user_id="wx-bob")
    made = Insert(Person.collection.name, to_doc(bob))

    assert await bring_beside(office, made, ANN, BOB) == 1
    assert "请再运行一次" in capsys.readouterr().out
    assert await office.bring(ANN, BOB) == 0

    bob = await office.person("bob")
    assert (bob.employee_number, bob.wecom_user_id) == ("1002", "wx-bob")
