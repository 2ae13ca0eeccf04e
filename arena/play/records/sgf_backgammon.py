"""SGF of backgammon (red-bean.com/sgf/backgammon.html), as GNU Backgammon writes it.

A node is a turn: two dice, and where each checker comes from and goes to. Points are a to x, a the
ace point of white, who is seat 0, and x that of black; y is the bar, z is off the board.
"""

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

from arena.play.records.sgf_tree import FoundMoves, Node, SgfGame
from arena.play.session import Session
from games import Game
from games.backgammon import Backgammon

_TURN = re.compile(r"([1-6])([1-6])((?:[a-y][a-z]){0,4})")
_BAR, _OFF = 25, 0
_PAIRS = 15  # of unequal dice
_STEP = re.compile(r"(\w+)/(\w+)")


class _Backgammon(SgfGame):
    number, rules, colours = 6, Backgammon, "WB"

    def root(self, game: Backgammon) -> Node:
        """A game without the cube."""
        return {"RU": ["NoCube"]}

    def name(self, root: Node) -> str:
        """Whatever its stake was."""
        return "backgammon"

    def write(self, session: Session, labels: Sequence[str]) -> list[Node]:
        """A node for each turn."""
        nodes: list[Node] = []
        at = 0
        while at < len(labels):
            seat, turn = session.seat, int(session.state.turn)
            text = _dice(session)
            while at < len(labels) and (session.seat, int(session.state.turn)) == (seat, turn):
                text += _written(labels[at], seat)
                session.push(labels[at])
                at += 1
            nodes.append({self.colours[seat]: [text]})
        return nodes

    def read(self, game: Game, start: str, nodes: Sequence[Node]) -> FoundMoves:
        """The turns, checkers moved in any order that the dice allow."""
        turns = _turns(nodes)
        outcomes = [
            _outcome(turn, begins=self.colours.index(turn.colour) if not number else None)
            for number, turn in enumerate(turns)
        ]
        session = Session(game, outcomes=outcomes)
        for number, turn in enumerate(turns, 1):
            if session.over:
                break
            seat = self.colours.index(turn.colour)
            try:
                if session.seat != seat:
                    raise ValueError(f"it is not {turn.colour}'s turn")
                pairs = _pairs(turn.moves, seat)
                for label in _plies(session, pairs, last=number == len(turns)):
                    session.push(label)
            except ValueError as error:
                raise ValueError(f"turn {number}, {turn.text}: {error}") from None
        made = session.record
        return FoundMoves(list(made.labels), list(made.outcomes[: len(turns)]))


class _Turn(NamedTuple):
    """A node: whose it is, the dice, where the checkers go, and all of it as it was written."""

    colour: str
    dice: tuple[int, int]
    moves: str
    text: str


def _turns(nodes: Sequence[Node]) -> list[_Turn]:
    """The turns of nodes; raises ValueError if one is none."""
    found = []
    for node in nodes:
        colour = next((colour for colour in "BW" if colour in node), None)
        if colour is None:
            continue
        value = node[colour][0].strip()
        turn = _TURN.fullmatch(value)
        if turn is None:
            raise ValueError(
                f"turn {len(found) + 1}, {colour}[{value:.20}]: it is no turn (the doubling "
                "cube is not played with)"
            )
        dice = int(turn[1]), int(turn[2])
        found.append(_Turn(colour, dice, turn[3], f"{colour}[{value:.20}]"))
    return found


def _outcome(turn: _Turn, *, begins: int | None) -> int:
    """The number of a roll; `begins` is the seat that it has begin, in the opening."""
    smaller, larger = sorted(turn.dice)
    if larger == smaller:
        if begins is not None:
            raise ValueError(f"turn 1, {turn.text}: the opening roll is no double")
        return _PAIRS + larger - 1
    outcome = (larger - 1) * (larger - 2) // 2 + smaller - 1
    return outcome + _PAIRS * (begins or 0)


def _dice(session: Session) -> str:
    """The two dice of a turn that begins."""
    dice = int(session.state.dice)
    return f"{dice & 15}{dice >> 4 & 15}"


def _letter(place: int, seat: int) -> str:
    if place in (_BAR, _OFF):
        return "y" if place == _BAR else "z"
    return chr(ord("a") + place - 1) if seat == 0 else chr(ord("x") - place + 1)


def _place(letter: str, seat: int) -> int:
    if letter in "yz":
        return _BAR if letter == "y" else _OFF
    return ord(letter) - ord("a") + 1 if seat == 0 else ord("x") - ord(letter) + 1


def _written(label: str, seat: int) -> str:
    """A ply; "" for a pass."""
    source, target = _ends(label)
    return "" if source < 0 else _letter(source, seat) + _letter(target, seat)


def _ends(label: str) -> tuple[int, int]:
    """From where to where a ply goes; -1 twice for a pass."""
    found = _STEP.match(label)
    if found is None:
        return -1, -1
    names = {"bar": _BAR, "off": _OFF}
    source, target = (
        names.get(text) or int(text if text != "off" else 0) for text in found.groups()
    )
    return source, target


def _pairs(text: str, seat: int) -> tuple[tuple[int, int], ...]:
    """From where to where the checkers of a turn go."""
    places = [_place(letter, seat) for letter in text]
    return tuple(zip(places[::2], places[1::2], strict=True))


def _plies(session: Session, pairs: tuple[tuple[int, int], ...], *, last: bool) -> list[str]:
    """The plies of a turn that moves these checkers, in their order if that is legal, else in any.

    Args:
      session: the turn begins.
      pairs: from where to where they go.
      last: whether the turn may be left before its end.

    Raises:
      ValueError: there are none.
    """
    seat, turn = session.seat, int(session.state.turn)

    def search(session: Session, left: tuple[tuple[int, int], ...]) -> list[str] | None:
        if (session.seat, int(session.state.turn)) != (seat, turn):
            return None if left else []
        if last and not left and session.seat == seat and list(session.legal_moves) != ["pass"]:
            return []
        for label in sorted(session.legal_moves, key=lambda name: _ends(name) not in left[:1]):
            for rest in _after(_ends(label), left):
                following = deepcopy(session)
                following.push(label)
                if (found := search(following, rest)) is not None:
                    return [label, *found]
        return None

    plies = search(session, pairs)
    if plies is None:
        raise ValueError("it is no legal way to play these dice")
    return plies


def _after(
    ply: tuple[int, int], left: tuple[tuple[int, int], ...]
) -> list[tuple[tuple[int, int], ...]]:
    """What is left of pairs after a ply that makes one of them, or a part of one."""
    source, target = ply
    if source < 0:
        return [] if left else [()]
    found = []
    for at, (begins, ends) in enumerate(left):
        if begins == source and target >= ends:
            rest = () if target == ends else ((target, ends),)
            found.append((*left[:at], *rest, *left[at + 1 :]))
    return found


BACKGAMMON = _Backgammon()
