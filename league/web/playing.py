"""A visitor's game against an agent: what is shown of it, and what can be done in it.

All that a page gets of a game is made by `view`. Of a game of hidden information that is what the
visitor's seat sees, its own moves, and nothing else.
"""

from collections.abc import Generator
from typing import Any, TypedDict

from arena.errors import UserError
from league.web import service
from league.web.lines import Line
from league.web.opponents import Thinking
from league.web.query import SEATS, Query
from league.web.site import Site


class Move(TypedDict):
    """A legal move: as players write it, and which cells to click for it."""

    label: str
    clicks: list[str]


class View(TypedDict):
    """A position, as a page gets it.

    `turn` is you, agent or over; `last` are cells of the last move, as far as it is known; `made`
    the moves so far, seat and label; `undo` the address before the visitor's last move, "" if
    there is none; `result` what the visitor gets when the game is over, in the game's points;
    `final` whether it is over by the rules, and not by resigning.
    """

    address: str
    board: str
    text: str
    turn: str
    status: str
    legal: list[Move]
    last: list[str]
    made: list[tuple[int, str]]
    undo: str
    result: float | None
    final: bool


def look(site: Site, query: Query) -> View:
    """The position of an address."""
    return view(service.of(site).lines.open(query), query)


def move(site: Site, query: Query, text: str) -> View:
    """The position after a move of the visitor.

    Raises:
      UserError: it is not the visitor's turn, or the move is not legal.
    """
    lines = service.of(site).lines
    line = lines.open(query)
    _check_turn(line, query, query.seat)
    try:
        line.push(line.session.parse(text))
    except ValueError as error:
        raise UserError(str(error)) from None
    return _after(site, line, query)


def answer(site: Site, query: Query) -> Generator[View | None, None, None]:
    """A job: the position after a move of the agent.

    Raises:
      UserError: it is not the agent's turn, or it cannot move.
    """
    found = service.of(site)
    line = found.lines.open(query)
    _check_turn(line, query, 1 - query.seat)
    opponent = found.opponents.get(query.agent, line.game)
    chosen = yield from _silently(opponent.choose(line, query.limit))
    if not line.game.on_device:  # another game may have begun in its program meanwhile
        line = found.lines.open(query)
    line.push(chosen)
    yield _after(site, line, query)


def hint(site: Site, query: Query) -> Generator[dict[str, Any] | None, None, None]:
    """A job: what the agent would play in the visitor's place, as label and cells."""
    found = service.of(site)
    line = found.lines.open(query)
    _check_turn(line, query, query.seat)
    opponent = found.opponents.get(query.agent, line.game)
    clicks = {number: line.session.clicks(number) for number in line.session.legal_moves.values()}
    labels = {number: label for label, number in line.session.legal_moves.items()}
    chosen = yield from _silently(opponent.choose(line, query.limit))
    yield {"label": labels[chosen], "cells": _cells(clicks[chosen])}


def _silently(thinking: Thinking) -> Generator[None, None, int]:
    """The same job without what is known on the way."""
    while True:
        try:
            next(thinking)
        except StopIteration as end:
            return end.value
        yield None


def reveal(site: Site, query: Query) -> dict[str, str]:
    """The whole position of a game that is over, both seats' cards and stones.

    Raises:
      UserError: it is not over.
    """
    line = service.of(site).lines.open(query)
    if not line.session.over:
        raise UserError("all is shown when the game is over")
    return {"board": line.game.draw(line.session.state)}


def view(line: Line, query: Query) -> View:
    """What the visitor may see of a position."""
    session, seat = line.session, query.seat
    over = session.over or query.resigned
    mine = session.seat == seat and not over
    result = None
    if session.result is not None:
        result = session.result * line.game.max_payoff * (1 - 2 * seat)
    visible = [made for made in line.made if not line.hidden or made.seat == seat]
    blind = not line.game.on_device and not session.over and session.seat != seat
    return View(
        address=query.text(),
        board="" if blind else session.drawing(_side(line, seat)),
        text="" if blind else session.view(_side(line, seat)),
        turn="over" if over else "you" if mine else "agent",
        status=_status(line, query, result),
        legal=_legal(line) if mine else [],
        last=list(visible[-1].cells) if visible else [],
        made=[(made.seat, made.label) for made in visible],
        undo=_undo(line, query),
        result=-1.0 if query.resigned else result,
        final=session.over,
    )


def _side(line: Line, seat: int) -> int:
    """From whose side a board is shown; an env shows the seat to move its own."""
    return seat if line.game.on_device or line.session.over else line.session.seat


def _after(site: Site, line: Line, query: Query) -> View:
    """The view of a position that was just reached, which is kept."""
    lines = service.of(site).lines
    query = lines.address(query, line)
    lines.keep(query, line)
    return view(line, query)


def _check_turn(line: Line, query: Query, seat: int) -> None:
    if line.session.over or query.resigned:
        raise UserError("the game is over")
    if line.session.seat != seat:
        raise UserError(f"it is not the turn of the {SEATS[seat]} seat")


def _legal(line: Line) -> list[Move]:
    session = line.session
    return [
        Move(label=label, clicks=list(session.clicks(number)))
        for label, number in session.legal_moves.items()
    ]


def _cells(clicks: tuple[str, ...]) -> list[str]:
    return [cell for cell in clicks if not cell.startswith("=")]


def _undo(line: Line, query: Query) -> str:
    """Moves are taken back in games of perfect information only: one has seen too much."""
    if line.hidden:
        return ""
    last = max((n for n, made in enumerate(line.made) if made.seat == query.seat), default=None)
    if query.resigned:
        return query.change(resigned=False).text()
    return "" if last is None else query.change(moves=query.moves[:last]).text()


def _status(line: Line, query: Query, result: float | None) -> str:
    if query.resigned:
        return "You resigned"
    if result is not None:
        word = "You win" if result > 0 else "You lose" if result < 0 else "A draw"
        points = f" by {abs(result):.3g}" if line.game.max_payoff != 1 and result else ""
        return word + points
    return "Your move" if line.session.seat == query.seat else "Thinking"
