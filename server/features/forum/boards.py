"""Boards: which there are for somebody, and setting them up."""

from collections.abc import Sequence

from msgspec import to_builtins
from msgspec.structs import replace

from server.clock import Millis
from server.directory import Directory, check_audience
from server.errors import ConflictRefused, Invalid, NotFound
from server.features.forum.documents import Board
from server.features.forum.protocol import (
    BoardChanged,
    Boards,
    BoardSaved,
    BoardSettings,
    ListBoards,
    SaveBoard,
    ShowBoardSettings,
)
from server.features.forum.rights import NO_BOARD, Reader, reader_of
from server.features.forum.shapes import BoardCard
from server.ids import made_id
from server.work import UnitOfWork

MOST_BOARDS = 200


async def list_boards(command: ListBoards, work: UnitOfWork, directory: Directory) -> Boards:
    """The actor's boards with their numbers, in three reads."""
    boards = await work.query(Board, "order", limit=MOST_BOARDS)
    readers = [r for r in (reader_of(work, board, directory) for board in boards) if r is not None]
    return Boards(boards=await board_cards(work, readers))


async def board_cards(work: UnitOfWork, readers: Sequence[Reader]) -> list[BoardCard]:
    """Boards as their readers see them."""
    newest = await work.log.newest_numbered([reader.board.channel for reader in readers])
    cards = []
    for reader in readers:
        last = newest.get(reader.board.channel)
        cards.append(
            _card(
                reader,
                posts=last["seq"] if last else 0,
                last_posted_at=last["data"]["post"]["posted_at"] if last else None,
            )
        )
    return cards


def _card(reader: Reader, *, posts: int, last_posted_at: Millis | None) -> BoardCard:
    board = reader.board
    return BoardCard(
        board_id=board.id,
        title=board.title,
        about=board.about,
        closed=board.closed,
        posts=posts,
        last_posted_at=last_posted_at,
        moderates=reader.moderates,
        may_post=not board.closed,
    )


async def save_board(command: SaveBoard, work: UnitOfWork, directory: Directory) -> BoardSaved:
    """Make a board or change one. Whoever looks at it is sent to ask for the right again."""
    board = _as_asked(command, work, directory)
    before = await work.get(Board, board.id)
    if command.board_id is None:
        await _check_new(work, board, before)
    elif before is None:
        raise NotFound(NO_BOARD)
    if board != before:
        work.put(board)
        if before is not None:
            work.append(board.channel, BoardChanged(board_id=board.id), dismisses=True)
        work.record(
            "forum.save_board",
            board.id,
            made=before is None,
            title=board.title,
            audience=to_builtins(board.audience),
            moderators=list(board.moderators),
            closed=board.closed,
        )
    return BoardSaved(board_id=board.id)


def _as_asked(command: SaveBoard, work: UnitOfWork, directory: Directory) -> Board:
    title = command.title.strip()
    if not title:
        raise Invalid("a title needs something to read - at `$.title`")
    check_audience(command.audience, directory)
    for person_id in command.moderators:
        directory.find(person_id)
    return Board(
        id=_id_asked(command, work.actor.person_id),
        title=title,
        about=command.about.strip(),
        audience=command.audience,
        moderators=tuple(dict.fromkeys(command.moderators)),
        order=command.order,
        closed=command.closed,
    )


def _id_asked(command: SaveBoard, person_id: str) -> str:
    if command.board_id is not None and command.client_id is None:
        return command.board_id
    if command.client_id is not None and command.board_id is None:
        return made_id(Board.collection.name, person_id, command.client_id)
    raise Invalid("name either a board to change, or a client_id of your own for a new one")


async def _check_new(work: UnitOfWork, board: Board, before: Board | None) -> None:
    """Raises ConflictRefused or Invalid when this makes no new board, nor repeats its making."""
    if before is not None and before != board:
        raise ConflictRefused("this client_id was used for another board; use a new one")
    if before is None and len(await work.query(Board, "order", limit=MOST_BOARDS)) == MOST_BOARDS:
        raise Invalid(f"there are {MOST_BOARDS} boards already; use one of them")


async def show_board_settings(
    command: ShowBoardSettings, work: UnitOfWork, directory: Directory
) -> BoardSettings:
    """A board's set-up, as it could be saved again."""
    board = await work.get(Board, command.board_id)
    if board is None:
        raise NotFound(NO_BOARD)
    people = [p.id for p in directory.people(board.audience.person_ids) if not p.is_retired]
    places = [id for id in board.audience.department_ids if directory.department(id) is not None]
    return BoardSettings(
        board_id=board.id,
        title=board.title,
        about=board.about,
        audience=replace(board.audience, person_ids=tuple(people), department_ids=tuple(places)),
        moderators=[p.id for p in directory.people(board.moderators) if not p.is_retired],
        order=board.order,
        closed=board.closed,
    )
