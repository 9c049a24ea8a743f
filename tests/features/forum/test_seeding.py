"""A sandbox has a forum from the start, once."""

from server.features.forum.documents import Board
from server.features.forum.seeding import seed
from server.outbox import DOCUMENTS, Owed
from tests.features.office import Client, Office


async def test_an_empty_store_gets_boards_with_posts_that_their_readers_see(
    office: Office, ann: Client
) -> None:
    for kind in DOCUMENTS:
        await office.store.ensure(kind.collection)
    for _ in range(2):
        await seed(office.store, office.clock, office.directory, office.system)
    boards = (await ann.ask("forum.boards"))["boards"]
    assert [board["board_id"] for board in boards] == ["everybody", "ideas", "ward"]
    assert len(await office.store.scan(Board.collection.name)) == 4
    page = await ann.ask("forum.list", board_id="everybody")
    assert [p["number"] for p in page["posts"]] == [4, 3, 2, 1]
    oldest = page["posts"][-1]
    assert boards[0]["last_posted_at"] == page["posts"][0]["posted_at"] < office.clock.now()
    shown = await ann.ask("forum.show", post_id=oldest["post_id"])
    assert len(shown["comments"]) == oldest["comments"] == 3
    assert await office.store.scan(Owed.collection.name) == []


async def test_a_store_with_a_board_of_its_own_is_left_alone(office: Office, board: str) -> None:
    await seed(office.store, office.clock, office.directory, office.system)
    assert [doc["_id"] for doc in await office.store.scan(Board.collection.name)] == [board]
