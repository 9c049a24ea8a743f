"""What search finds: any text from two characters on, in the scopes asked for and nowhere else."""

import pytest

from server.storage import (
    Append,
    Collection,
    Delete,
    Insert,
    Patch,
    Put,
    Search,
    StorageError,
    Store,
)

TEXTS = {
    "m1": "今天下午三点开会议",
    "m2": "会议室在东楼三层",
    "m3": "请看 Dr. Wang 的 CT 报告",
    "m4": "ct报告已经发到邮箱 wang@example.test",
    "m5": "议会不是会 议",
    "m6": "哈哈哈哈",
    "m7": "好",
    "m8": 'He said "a+b=c" & left; 50% (O₂) -- ok?\n下一行',
    "m9": "ÄRZTE und Straße",
}


@pytest.fixture
async def talk(store: Store) -> Store:
    await store.apply(
        *(Append("talk", "a", {"_id": id, "text": text}) for id, text in TEXTS.items())
    )
    return store


async def found(store: Store, text: str, *scopes: str) -> list[str]:
    return [doc["_id"] for doc in await store.search("talk", text, scopes or ["a"])]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("会议", ["m2", "m1"]),
        ("会议室", ["m2"]),
        ("三层", ["m2"]),
        ("今天下午三点开会议", ["m1"]),
        ("今天下午三点开会议室", []),
        ("CT", ["m4", "m3"]),
        ("ct报告", ["m4"]),
        ("CT 报告", ["m3"]),
        ("dr. wang", ["m3"]),
        ("WANG", ["m4", "m3"]),
        ("的 C", ["m3"]),
        ("@example.", ["m4"]),
        ("哈哈", ["m6"]),
        ("哈哈哈哈", ["m6"]),
        ("哈哈哈哈哈", []),
        ('"a+b=c"', ["m8"]),
        ("50% (o₂)", ["m8"]),
        ("?\n下", ["m8"]),
        ("--", ["m8"]),
        ("ärzte", ["m9"]),
        ("STRASSE", ["m9"]),
        ("手术", []),
        ("OR", []),
    ],
)
async def test_a_text_is_found_by_what_it_holds(talk: Store, text: str, ids: list[str]) -> None:
    assert await found(talk, text) == ids


@pytest.mark.parametrize("text", ["", "会", "a"])
async def test_one_character_is_too_short(talk: Store, text: str) -> None:
    with pytest.raises(ValueError, match="2 characters"):
        await talk.search("talk", text, ["a"])


async def test_a_long_text_is_found_by_its_end(store: Store) -> None:
    await store.apply(
        Append("talk", "a", {"_id": "m1", "text": "复查血常规。" * 800 + "请尽快签字"})
    )

    assert await found(store, "尽快签字") == ["m1"]
    assert await found(store, "复查血常规。" * 800) == ["m1"]


async def test_scopes_never_leak(store: Store) -> None:
    scopes = ["Ward-A", "ward-a", "ward a", "ward", "a OR b", 'x"y', "东楼", "*"]
    for number, scope in enumerate(scopes):
        await store.apply(Append("talk", scope, {"_id": f"m{number}", "text": "交班记录"}))

    for number, scope in enumerate(scopes):
        assert await found(store, "交班", scope) == [f"m{number}"]
    assert await found(store, "交班", "ward-a", "东楼") == ["m6", "m1"]
    assert await store.search("talk", "交班", []) == []
    assert await found(store, "交班", "elsewhere") == []


async def test_many_scopes_are_as_good_as_few(store: Store) -> None:
    await store.apply(
        Append("talk", "c5", {"_id": "m1", "text": "交班记录"}),
        Append("talk", "c350", {"_id": "m2", "text": "交班记录"}),
        Append("talk", "c999", {"_id": "m3", "text": "交班记录"}),
    )

    for count, ids in ((200, ["m1"]), (201, ["m1"]), (400, ["m2", "m1"])):
        assert await found(store, "交班", *(f"c{number}" for number in range(count))) == ids


async def test_pages_go_from_newest_to_oldest_by_rank(store: Store) -> None:
    for number in range(25):
        await store.apply(
            Append("talk", f"c{number % 2}", {"_id": f"m{number}", "text": f"查房{number}"})
        )
    seen: list[str] = []
    before: int | None = None

    while page := await store.search("talk", "查房", ["c0", "c1"], before=before, limit=10):
        seen += [doc["_id"] for doc in page]
        before = page[-1]["_rank"]

    assert seen == [f"m{number}" for number in reversed(range(25))]


async def test_a_recalled_text_is_not_found(talk: Store) -> None:
    await talk.apply(Patch("talk", "m1", {"text": None, "recalled_at": 1}))
    await talk.apply(Delete("talk", "m3"))

    assert await found(talk, "会议") == ["m2"]
    assert await found(talk, "CT") == ["m4"]


async def test_a_changed_text_is_found_by_its_new_words_only(talk: Store) -> None:
    await talk.apply(Patch("talk", "m1", {"text": "改到明天"}), Patch("talk", "m2", {"read": True}))

    assert await found(talk, "会议") == ["m2"]
    assert await found(talk, "明天") == ["m1"]


async def test_several_changes_in_one_batch_leave_the_last_text(store: Store) -> None:
    await store.apply(
        Append("talk", "a", {"_id": "m1", "text": "第一稿"}),
        Patch("talk", "m1", {"text": "第二稿"}),
        Patch("talk", "m1", {"text": "第三稿"}),
        Append("talk", "a", {"_id": "m2", "text": "第三稿"}),
        Delete("talk", "m2"),
    )

    assert await found(store, "第一") == []
    assert await found(store, "第三") == ["m1"]


async def test_what_is_stored_next_does_not_inherit_a_deleted_text(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1", "text": "旧公告"}))
    await store.apply(Delete("talk", "m1"), Append("talk", "a", {"_id": "m2", "text": "新消息"}))
    await store.apply(Delete("talk", "m2"))
    await store.apply(Append("talk", "a", {"_id": "m3", "text": "再来一条"}))

    assert [await found(store, text) for text in ("公告", "消息", "再来")] == [[], [], ["m3"]]


async def test_a_replaced_key_is_not_found(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1", "text": "旧公告"}, key="k"))
    await store.apply(Append("talk", "a", {"_id": "m2", "text": "新公告"}, key="k"))

    assert await found(store, "公告") == ["m2"]


async def test_documents_are_searched_like_entries(store: Store) -> None:
    await store.ensure(Collection("pages", search=Search("body", "place")))
    await store.apply(
        Insert("pages", {"_id": "p1", "body": "手术排班", "place": "a"}),
        Put("pages", {"_id": "p2", "body": "门诊排班", "place": "b"}, expect=0),
        Insert("pages", {"_id": "p3", "place": "b"}),
        Insert("pages", {"_id": "p4", "body": "排班"}),
    )
    await store.apply(Patch("pages", "p1", {"place": "b"}))

    assert await store.search("pages", "排班", ["a"]) == []
    hits = await store.search("pages", "排班", ["b"])
    assert [doc["_id"] for doc in hits] == ["p2", "p1"]
    assert {key: value for key, value in hits[0].items() if key != "_rank"} == await store.get(
        "pages", "p2"
    )


async def test_search_declared_later_knows_the_texts_before(store: Store) -> None:
    await store.apply(
        *(Insert("notes", {"_id": f"n{n}", "body": "药房盘点", "owner": "a"}) for n in range(30))
    )

    await store.ensure(Collection("notes", search=Search("body", "owner")))
    await store.apply(Insert("notes", {"_id": "n99", "body": "药房值班", "owner": "a"}))

    assert len(await store.search("notes", "药房", ["a"])) == 31


async def test_a_collection_without_search_cannot_be_searched(store: Store) -> None:
    with pytest.raises(StorageError, match="without search"):
        await store.search("notes", "会议", ["a"])
