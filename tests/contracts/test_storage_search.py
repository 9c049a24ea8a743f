"""What search finds: any text from two characters on, in the scopes asked for and nowhere else."""

import asyncio
import re

import pytest

from server.storage import (
    Append,
    Collection,
    Delete,
    Doc,
    Insert,
    Patch,
    Put,
    Search,
    StorageError,
    Store,
    StoreBusy,
    bigrams,
)
from server.storage.migrate import load

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
    "m10": "三床ＭＲＩ第１２次",
}


@pytest.fixture
async def talk(store: Store) -> Store:
    await store.apply(*(written("a", id, text) for id, text in TEXTS.items()))
    return store


def written(stream: str, id: str, text: str) -> Append:
    return Append("talk", stream, {"_id": id, "text": text}, numbered=True)


async def found(store: Store, text: str, *scopes: str) -> list[str]:
    return ids(await store.search("talk", text, dict.fromkeys(scopes or ["a"], 0)))


def ids(docs: list[Doc]) -> list[str]:
    return [doc["_id"] for doc in docs]


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
        ("mri第12次", ["m10"]),
        ("ｍＲＩ", ["m10"]),
        ("ｃｔ报告", ["m4"]),
        ("手术", []),
        ("OR", []),
    ],
)
async def test_a_text_is_found_by_what_it_holds(talk: Store, text: str, ids: list[str]) -> None:
    assert await found(talk, text) == ids


@pytest.mark.parametrize("text", ["", "会", "a"])
async def test_one_character_is_too_short(talk: Store, text: str) -> None:
    with pytest.raises(ValueError, match="2 characters"):
        await talk.search("talk", text, {"a": 0})


async def test_a_long_text_is_found_by_its_end(store: Store) -> None:
    await store.apply(written("a", "m1", "复查血常规。" * 800 + "请尽快签字"))

    assert await found(store, "尽快签字") == ["m1"]
    assert await found(store, "复查血常规。" * 800) == ["m1"]


async def test_scopes_never_leak(store: Store) -> None:
    scopes = ["Ward-A", "ward-a", "ward a", "ward", "a OR b", 'x"y', "东楼", "*"]
    for number, scope in enumerate(scopes):
        await store.apply(written(scope, f"m{number}", "交班记录"))

    for number, scope in enumerate(scopes):
        assert await found(store, "交班", scope) == [f"m{number}"]
    assert await found(store, "交班", "ward-a", "东楼") == ["m6", "m1"]
    assert await store.search("talk", "交班", {}) == []
    assert await found(store, "交班", "elsewhere") == []


async def test_many_scopes_are_as_good_as_few(store: Store) -> None:
    await store.apply(
        written("c5", "m1", "交班记录"),
        written("c350", "m2", "交班记录"),
        written("c999", "m3", "交班记录"),
    )

    for count, ids in ((200, ["m1"]), (201, ["m1"]), (400, ["m2", "m1"])):
        assert await found(store, "交班", *(f"c{number}" for number in range(count))) == ids


async def test_pages_go_from_newest_to_oldest_by_rank(store: Store) -> None:
    for number in range(25):
        await store.apply(written(f"c{number % 2}", f"m{number}", f"查房{number}"))
    seen: list[str] = []
    before: int | None = None

    while page := await store.search("talk", "查房", {"c0": 0, "c1": 0}, before=before, limit=10):
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
        written("a", "m1", "第一稿"),
        Patch("talk", "m1", {"text": "第二稿"}),
        Patch("talk", "m1", {"text": "第三稿"}),
        written("a", "m2", "第三稿"),
        Delete("talk", "m2"),
    )

    assert await found(store, "第一") == []
    assert await found(store, "第三") == ["m1"]


async def test_what_is_stored_next_does_not_inherit_a_deleted_text(store: Store) -> None:
    await store.apply(written("a", "m1", "旧公告"))
    await store.apply(Delete("talk", "m1"), written("a", "m2", "新消息"))
    await store.apply(Delete("talk", "m2"))
    await store.apply(written("a", "m3", "再来一条"))

    assert [await found(store, text) for text in ("公告", "消息", "再来")] == [[], [], ["m3"]]


async def test_a_replaced_key_is_not_found(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1", "text": "旧公告"}, key="k", numbered=True))
    await store.apply(Append("talk", "a", {"_id": "m2", "text": "新公告"}, key="k", numbered=True))

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

    assert await store.search("pages", "排班", {"a": 0}) == []
    hits = await store.search("pages", "排班", {"b": 0})
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

    assert len(await store.search("notes", "药房", {"a": 0})) == 31


async def test_a_text_of_full_width_from_before_is_found_once_it_is_migrated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = Collection("log", search=Search("text", "stream"), log=True)
    for collection in (logged, Collection("mail_bodies", search=Search("words", "_id"))):
        await store.ensure(collection)
    texts = [f"第{number}次ＣＴ" for number in range(1, 103)]
    with monkeypatch.context() as before:
        before.setattr(bigrams, "_HAS_STAND_IN", re.compile("(?!)"))
        entries = (Append("log", "a", {"_id": f"m{n:03}", "text": t}) for n, t in enumerate(texts))
        await store.apply(*entries, Append("log", "a", {"_id": "joined"}))
        await store.apply(Insert("mail_bodies", {"_id": "a", "words": "明早做ＣＴ"}))
    assert await store.search("log", "CT", {"a": -1}) == []

    [migration] = [step for step in load() if step.id == "0002_full_width"]
    await migration.up(store)

    assert len(await store.search("log", "次CT", {"a": -1}, limit=200)) == len(texts)
    assert len(await store.search("log", "次ＣＴ", {"a": -1}, limit=200)) == len(texts)
    assert ids(await store.search("mail_bodies", "ct", {"a": 0})) == ["a"]


async def test_a_collection_without_search_cannot_be_searched(store: Store) -> None:
    with pytest.raises(StorageError, match="without search"):
        await store.search("notes", "会议", {"a": 0})


@pytest.fixture(params=[0, 300], ids=["few", "many"])
def others(request: pytest.FixtureRequest) -> dict[str, int]:
    """Further scopes without anything in them, with floors of their own."""
    return {f"other-{number}": number for number in range(request.param)}


async def test_what_is_not_above_the_floor_of_its_scope_is_not_there(
    store: Store, others: dict[str, int]
) -> None:
    await store.apply(*(written("a", f"a{number}", "交班记录") for number in range(1, 5)))
    await store.apply(*(written("b", f"b{number}", "交班记录") for number in range(1, 5)))

    async def seen(**floors: int) -> list[str]:
        return ids(await store.search("talk", "交班", {**others, **floors}))

    assert await seen(a=2) == ["a4", "a3"]
    assert await seen(a=3, b=2) == ["b4", "b3", "a4"]
    assert await seen(a=4, b=3) == ["b4"]
    assert await seen(a=4, b=99) == []


async def test_a_page_is_full_although_there_is_more_below_the_floors(
    store: Store, others: dict[str, int]
) -> None:
    await store.apply(*(written("a", f"a{number}", "交班记录") for number in range(1, 4)))
    await store.apply(*(written("b", f"b{number}", "交班记录") for number in range(1, 40)))
    floors = {**others, "a": 1, "b": 38}

    first = await store.search("talk", "交班", floors, limit=2)
    second = await store.search("talk", "交班", floors, before=first[-1]["_rank"], limit=2)

    assert (ids(first), ids(second)) == (["b39", "a3"], ["a2"])


async def test_an_entry_without_a_number_is_as_old_as_the_number_before_it(store: Store) -> None:
    await store.apply(
        Append("talk", "a", {"_id": "m1", "text": "交班记录"}),
        written("a", "m2", "交班记录"),
        Append("talk", "a", {"_id": "m3", "text": "交班记录"}),
    )

    seen = {floor: ids(await store.search("talk", "交班", {"a": floor})) for floor in (-1, 0, 1)}

    assert seen == {-1: ["m3", "m2", "m1"], 0: ["m3", "m2"], 1: []}


async def test_only_entries_of_a_log_have_a_floor(store: Store) -> None:
    await store.ensure(Collection("pages", search=Search("body", "place")))

    with pytest.raises(ValueError, match="not a log"):
        await store.search("pages", "排班", {"a": 1})


async def test_reads_are_answered_while_searches_wait(store: Store) -> None:
    scopes = {f"ward-{number}": 0 for number in range(400)}
    await store.apply(*(written(scope, scope, "交班记录" * 50) for scope in scopes))
    done: list[str] = []

    async def search() -> None:
        assert len(await store.search("talk", "交班", scopes, limit=400)) == 400
        done.append("search")

    async def read() -> None:
        assert await store.get("talk", "ward-7") is not None
        done.append("read")

    await asyncio.gather(*(search() for _ in range(40)), read())

    # Behind them it would be the last or the last but one.
    assert "read" in done[:30]


async def test_too_many_searches_are_refused_at_once_and_leave_reads_alone(store: Store) -> None:
    await store.apply(written("a", "m1", "交班记录"))

    async def search() -> list[str]:
        return await found(store, "交班")

    results = await asyncio.gather(*(search() for _ in range(1_000)), return_exceptions=True)
    refused = [result for result in results if result != ["m1"]]

    assert 0 < len(refused) < 1_000
    assert {type(result) for result in refused} == {StoreBusy}
    assert await store.get("talk", "m1") is not None
