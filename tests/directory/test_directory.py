"""Departments as a tree, and the directory kept in step with the store."""

from pathlib import Path

import msgspec
import pytest

from server import auth
from server.directory import DOCUMENTS, Department, Directory, Person, Post, avatar_hue, card_of
from server.directory.seeding import seed_people
from server.errors import NotFound
from server.sandbox.hospital import hospital
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock

DEPARTMENTS = [
    Department(id="b", name="外科", order=2),
    Department(id="a", name="内科", order=1),
    Department(id="a2", name="神经内科", parent_id="a", order=2),
    Department(id="a1", name="心血管内科", parent_id="a", order=1),
    Department(id="lost", name="无上级", parent_id="gone", order=9),
]


def person(id: str, name: str, *posts: tuple[str, str, bool], **more: object) -> Person:
    held = tuple(Post(department_id=d, title=t, leads=leads) for d, t, leads in posts)
    return msgspec.convert({"_id": id, "name": name, "posts": held, **more}, Person)


def small_directory() -> Directory:
    directory = Directory()
    directory.refresh(
        [
            person("p1", "王一", ("a1", "护士", False)),
            person("p2", "安二", ("a1", "护士", False), ("a2", "顾问", False)),
            person("p3", "赵三", ("a1", "科主任", True)),
            person("p4", "钱四", ("b", "科主任", True), ("a1", "会诊", False)),
            person("p5", "孙五", ("a1", "护士", False), retired_at=1),
        ],
        DEPARTMENTS,
    )
    return directory


def test_departments_follow_their_parents_in_order() -> None:
    branches = small_directory().tree

    assert [branch.department.id for branch in branches] == ["a", "a1", "a2", "b", "lost"]


def test_counts_include_what_is_below_and_everybody_once() -> None:
    counts = {b.department.id: b.people_count for b in small_directory().tree}

    assert counts == {"a": 4, "a1": 4, "a2": 1, "b": 1, "lost": 0}


def test_members_come_leaders_first_and_then_by_name() -> None:
    directory = small_directory()

    assert [p.id for p in directory.members("a1")] == ["p3", "p2", "p4", "p1"]
    assert directory.members("a") == []
    assert {p.id for p in directory.members("a", below=True)} == {"p1", "p2", "p3", "p4"}
    assert directory.members("made-up", below=True) == []


def test_a_circle_of_departments_does_not_hang() -> None:
    directory = Directory()
    directory.refresh(
        [person("p1", "王一", ("x", "", False))],
        [
            Department(id="x", name="甲", parent_id="y"),
            Department(id="y", name="乙", parent_id="x"),
        ],
    )

    assert directory.tree == []


def test_a_card_shows_the_post_held_in_the_department_asked_for() -> None:
    directory = small_directory()
    qian = directory.find("p4")

    assert card_of(qian, directory, online=False).title == "科主任"
    assert card_of(qian, directory, online=False, within="a1").title == "会诊"


def test_the_avatars_hue_never_changes() -> None:
    assert avatar_hue("s0001") == avatar_hue("s0001")
    assert 0 <= avatar_hue("任何人") < 360


def test_people_are_given_in_the_order_asked_each_once_and_retired_ones_too() -> None:
    directory = small_directory()

    assert [p.id for p in directory.people(["p5", "nobody", "p1", "p5"])] == ["p5", "p1"]
    with pytest.raises(NotFound):
        directory.find("p5")


def test_accounts_and_wecom_users_are_found_however_capitalised() -> None:
    directory = Directory()
    directory.refresh([person("ZhangSan", "张三", wecom_user_id="zs")])

    assert directory.by_account(" zhangsan ") == directory.by_wecom("zs")
    assert directory.by_wecom("ZS") is directory.by_wecom("zs") is not None


async def test_a_directory_loaded_again_holds_what_the_store_holds(tmp_path: Path) -> None:
    clock = ManualClock()
    store = SqliteStore(tmp_path / "d.db", clock=clock)
    await store.open()
    try:
        for kind in (*DOCUMENTS, *auth.DOCUMENTS):
            await store.ensure(kind.collection)
        made = hospital()
        await seed_people(store, made, clock)
        directory = Directory()
        directory.refresh([person("gone", "某人", ("cardiology", "", False))])

        await directory.load(store)

        assert directory.person("gone") is None
        assert directory.search("mouren") == []
        assert len(directory.active()) == len(made.people) == 1_601
        assert sum(b.people_count for b in directory.tree if not b.department.parent_id) >= 1_601
        assert len(await directory.oa_users()) == 1_600
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("ckyz", "产科一组"),
        ("产科", "产科一组"),
        ("chankeyizu", "产科一组"),
        ("xxgnk", "心血管内科"),
        ("neike", "内科"),
        ("神经", "神经内科"),
    ],
)
def test_a_department_is_found_by_name_pinyin_and_initials(query: str, name: str) -> None:
    directory = small_directory()
    directory.refresh(departments=[Department(id="o1", name="产科一组", order=3)])

    names = [branch.department.name for branch in directory.search_departments(query)]

    assert names[0] == name
