"""A game as files keep it: whatever its rules are, in words and numbers alone."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import games
from arena.errors import UserError
from arena.play.session import GameRecord, Session
from games import CHANCE, Game, text_positions

LoadGame = Callable[[str], Game]
"""Gives a game by its name; raises ValueError in one line."""

RESIGNED, LEFT = "resigned", "left unfinished"
"""Terminations of a game that was not played to its end."""


class Player(NamedTuple):
    """Who played.

    Attributes:
      name: as a user types it, or as a file has it.
      digest: SHA-256 of its weights; "" if it has none, or they are not known.
    """

    name: str
    digest: str = ""


class MoveNote(NamedTuple):
    """What who moved found out before the move.

    Attributes:
      value: of the position for who moves, in [-1, 1].
      visits: of the move; None if there was no search.
    """

    value: float
    visits: int | None = None


@dataclass(frozen=True, kw_only=True)
class SavedGame:
    """A game as a file has it.

    Attributes:
      game: its name with options, as `games.load` takes it.
      version: of the game's rules.
      players: in seat 0 and in seat 1.
      start: the position in which it began, as text; "" if that is the initial one.
      seed: of chance, if it was played here.
      moves: of the seats, as players write them.
      outcomes: of chance, in order.
      result: of seat 0, in [-1, 1]; None if there is none.
      termination: why it ended where the rules did not end it; "" otherwise.
      date: a day or a moment (UTC) in the form of ISO 8601; "" if it is not known.
      notes: for each move what was found out before it, None where nothing is known; or empty.
      tags: whatever else is to be kept of it, such as the generation.
    """

    game: str
    version: int = 1
    players: tuple[Player, Player] = (Player("?"), Player("?"))
    start: str = ""
    seed: int | None = None
    moves: tuple[str, ...] = ()
    outcomes: tuple[int, ...] = ()
    result: float | None = None
    termination: str = ""
    date: str = ""
    notes: tuple[MoveNote | None, ...] = ()
    tags: Mapping[str, str | int | float] = field(default_factory=dict)


def now() -> str:
    """This moment, UTC."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def saved(
    record: GameRecord,
    name: str,
    players: Sequence[Player],
    *,
    result: float | None = None,
    termination: str = "",
    notes: Sequence[MoveNote | None] = (),
    tags: Mapping[str, str | int | float] | None = None,
    date: str = "",
) -> SavedGame:
    """A game that was played here.

    Args:
      record: of its session.
      name: of the game, with options.
      players: in seat 0 and in seat 1.
      result: of seat 0 where it was not played to its end.
      termination: why it was not.
      notes: for each move of a seat, or empty.
      tags: whatever else is to be kept.
      date: when it was played; now if empty.
    """
    one, two = players
    return SavedGame(
        game=name,
        version=record.game.version,
        players=(one, two),
        start=record.start,
        seed=record.seed,
        moves=record.labels,
        outcomes=record.outcomes,
        result=result if record.result is None else record.result,
        termination=termination if record.result is None else "",
        date=date or now(),
        notes=tuple(notes),
        tags=dict(tags or {}),
    )


def rules_of(kept: SavedGame, load: LoadGame = games.load) -> Game:
    """The game that was played.

    Raises:
      ValueError: there is none, or its rules have another version; in one line.
    """
    game = load(kept.game)
    if game.version != kept.version:
        raise ValueError(
            f"version {kept.version} of {kept.game} was played, and these rules have version "
            f"{game.version}"
        )
    return game


def begin(kept: SavedGame, game: Game) -> Session:
    """The game before its first move, whose chance will bring what it brought.

    Raises:
      ValueError: it cannot begin so; in one line.
    """
    start = text_positions(game).from_text(kept.start) if kept.start else None
    return Session(game, seed=kept.seed or 0, start=start, outcomes=kept.outcomes)


def replay(kept: SavedGame, load: LoadGame = games.load) -> Session:
    """The game as it stood at its end.

    Raises:
      ValueError: there are no such rules, or something in it is not legal; in one line.
    """
    session = begin(kept, rules_of(kept, load))
    for number, label in enumerate(kept.moves, 1):
        try:
            session.push(label)
        except UserError:
            raise
        except ValueError as error:
            raise ValueError(f"move {number}, {label!r:.40}: {error}") from None
    if len(kept.outcomes) > sum(mover == CHANCE for mover in session.record.movers):
        raise ValueError("chance has brought more than the moves tell of")
    return session
