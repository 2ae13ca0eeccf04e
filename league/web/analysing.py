"""What agents find out about the positions of a game: live, and along the whole game."""

import math
from collections.abc import Generator, Sequence
from typing import TypedDict, TypeVar

from arena.analysis import Analysis, Limit
from arena.errors import UserError
from games import TextPositions
from league.web import service
from league.web.lines import Line
from league.web.playing import Move
from league.web.query import Query
from league.web.site import Site

T = TypeVar("T")

MOST_SIMULATIONS = 4096
"""Of one position, for one visitor."""
_ALONG = 32
"""Simulations for each position of the curve along the game."""
_CHUNK = 32
_MOST_PLIES = 400
"""Positions of the curve; of longer games the first."""


class Shown(TypedDict):
    """A position of a game, as the page gets it; `made` are the moves of the whole game."""

    address: str
    board: str
    text: str
    turn: int
    ply: int
    legal: list[Move]
    last: list[str]
    made: list[tuple[int, str]]
    result: float | None
    position: str


class Row(TypedDict):
    """A move of an analysis: its probability before the search, visits, mean value or None."""

    label: str
    cells: list[str]
    prior: float
    visits: int
    value: float | None


class Found(TypedDict):
    """An analysis so far; values are for the seat to move."""

    simulations: int
    seconds: float
    value: float
    proven: bool
    best: str
    variation: list[str]
    moves: list[Row]


class Point(TypedDict):
    """A value along a game, for the first seat."""

    ply: int
    value: float


class Failure(TypedDict):
    """Why an agent finds nothing."""

    error: str


def look(site: Site, query: Query, ply: int | None) -> Shown:
    """A position of the game of an address.

    Args:
      site: whose.
      query: the whole game.
      ply: after how many moves of the seats; the last position if None.

    Raises:
      UserError: the game hides something, or has no such position.
    """
    whole = _open(site, query)
    count = len(whole.made)
    ply = count if ply is None else min(max(ply, 0), count)
    line = _open(site, query.change(moves=query.moves[:ply]))
    session = line.session
    return Shown(
        address=query.text(),
        board=session.drawing(query.seat),
        text=session.view(query.seat),
        turn=session.seat,
        ply=ply,
        legal=[
            Move(label=label, clicks=list(session.clicks(number)))
            for label, number in session.legal_moves.items()
        ],
        last=list(line.made[-1].cells) if line.made else [],
        made=[(made.seat, made.label) for made in whole.made],
        result=session.result,
        position=_position(line),
    )


def push(site: Site, query: Query, ply: int, text: str) -> Shown:
    """The game with another move after one of its positions.

    Raises:
      UserError: the move is not legal.
    """
    line = _open(site, query.change(moves=query.moves[:ply]))
    try:
        line.push(line.session.parse(text))
    except ValueError as error:
        raise UserError(str(error)) from None
    written = line.written(line.made[-1])
    if query.moves[ply : ply + 1] == (written,):  # the move of the game itself
        return look(site, query, ply + 1)
    outcomes = query.outcomes[: line.chances] if query.outcomes else ()
    return look(site, query.change(moves=(*query.moves[:ply], written), outcomes=outcomes), None)


def live(
    site: Site, query: Query, ply: int, agents: Sequence[str]
) -> Generator[tuple[int, Found | Failure], None, None]:
    """A job: analyses of one position that grow, by turns.

    Each ends when the value is proven, or its tree is large; or with why there is none.

    Yields:
      the agent's place, and what it has found so far.
    """
    line = _open(site, query.change(moves=query.moves[:ply]))
    if line.session.over:
        raise UserError("the game is over")
    yield from _by_turns([_growing(site, line, agent) for agent in agents])


def along(
    site: Site, query: Query, agents: Sequence[str]
) -> Generator[tuple[int, Point | Failure], None, None]:
    """A job: the value of every position of a game for the first seat, by turns.

    Yields:
      the agent's place, and a point of its curve.
    """
    yield from _by_turns([_curve(site, query, agent) for agent in agents])


def _by_turns(
    jobs: Sequence[Generator[T, None, None]],
) -> Generator[tuple[int, T | Failure], None, None]:
    """The values of several jobs, one of each in turn; one that fails does not end the others."""
    going = dict(enumerate(jobs))
    while going:
        for place, job in list(going.items()):
            try:
                yield place, next(job)
            except StopIteration:
                del going[place]
            except ValueError as error:
                del going[place]
                yield place, Failure(error=str(error))


def _growing(site: Site, line: Line, agent: str) -> Generator[Found, None, None]:
    session = line.session
    analyst = service.of(site).opponents.get(agent, line.game).analyst()
    position, done, seconds = session.position, 0, 0.0
    cells = {move: session.clicks(move) for move in session.legal_moves.values()}
    while True:
        found = analyst.analyse(position, Limit(simulations=_CHUNK))
        done += found.simulations
        seconds += found.seconds
        yield _found(found, done, seconds, cells)
        if found.proven or done >= MOST_SIMULATIONS or found.simulations < _CHUNK:
            return


def _curve(site: Site, query: Query, agent: str) -> Generator[Point, None, None]:
    whole = _open(site, query)
    analyst = service.of(site).opponents.get(agent, whole.game).analyst()
    for ply in range(min(len(whole.made), _MOST_PLIES) + 1):
        session = _open(site, query.change(moves=query.moves[:ply])).session
        if session.result is not None:
            value = session.result
        else:
            found = analyst.analyse(session.position, Limit(simulations=_ALONG))
            value = found.value * (1 - 2 * session.seat)
        yield Point(ply=ply, value=round(value, 4))


def _open(site: Site, query: Query) -> Line:
    found = service.of(site)
    game = found.lines.game(query.game)
    if not game.perfect_information:
        raise UserError("games of hidden information cannot be searched, and so not analysed")
    if (game.num_outcomes or not game.on_device) and not query.deal:
        query = query.change(deal="analysis")
    return found.lines.open(query)


def _found(found: Analysis, done: int, seconds: float, cells: dict[int, tuple[str, ...]]) -> Found:
    return Found(
        simulations=done,
        seconds=round(seconds, 2),
        value=round(found.value, 4),
        proven=found.proven,
        best=next(move.label for move in found.moves if move.move == found.move),
        variation=list(found.labels),
        moves=[
            Row(
                label=move.label,
                cells=[cell for cell in cells.get(move.move, ()) if not cell.startswith("=")],
                prior=round(move.prior, 5),
                visits=move.visits,
                value=None if move.q is None or math.isnan(move.q) else round(move.q, 4),
            )
            for move in found.moves
        ],
    )


def _position(line: Line) -> str:
    """The position as text, such as a FEN; "" where the game has none."""
    game = line.game
    return game.to_text(line.session.state) if isinstance(game, TextPositions) else ""
