"""Show a game of a file in the terminal."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from arena import interrupt
from arena.errors import UserError, check_positive
from arena.play.records import SavedGame, Skipped, begin, read_games, rules_of
from arena.play.records.jsonl import as_json
from arena.play.session import Session
from games import Game
from league.cli import console, device, recording
from league.settings import game_names

_KEYS = "Enter: next, b: back, a number: to that move, e: to the end, q: quit"


@dataclass(frozen=True)
class Command:
    """Show a game of a PGN, SGF or JSONL file: move by move on a terminal, else all at once.

    Without `--game`, a file of several games is listed.

    Attributes:
      file: the file; broken games in it are skipped and counted.
      game: the number of the game in the list.
      json: print the list, or the game, as one JSON object.
    """

    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    game: int | None = None
    json: bool = False

    def __post_init__(self):
        if self.game is not None:
            check_positive(self, "game")


def run(command: Command) -> None:
    """Prints the list of games, or one of them."""
    device.prepare()
    skipped = Skipped()
    games = read_games(command.file, load=game_names.load, skipped=skipped, check=False)
    if command.game is None:
        found = list(games)
    else:
        found = [one for number, one in enumerate(games, 1) if number == command.game]
    if skipped.count:
        console.stderr.print(f"{command.file}: {skipped.describe()}")
    if not found:
        which = "no game" if command.game is None else f"no game {command.game}"
        raise UserError(f"{command.file} has {which} that can be shown")
    if len(found) > 1:
        _list(command, found, skipped)
    elif command.json:
        console.emit(as_json(found[0]))
    else:
        _show(found[0])


def _list(command: Command, found: Sequence[SavedGame], skipped: Skipped) -> None:
    if command.json:
        games = [{"number": n, **as_json(one)} for n, one in enumerate(found, 1)]
        console.emit({"games": games, "skipped": skipped.count})
        return
    rows = [
        [
            str(number),
            one.game,
            one.players[0].name,
            one.players[1].name,
            recording.result(one),
            str(len(one.moves)),
            one.date[:10],
        ]
        for number, one in enumerate(found, 1)
    ]
    columns = ["game", "played", "first", "second", "result", "moves", "date"]
    console.table(f"Games of {command.file} (--game N shows one)", columns, rows)


@dataclass(frozen=True)
class _Shown:
    """A game with all its positions as text.

    Attributes:
      kept: the game.
      boards: before the first move, and after each.
      captions: what was played before each of the boards.
    """

    kept: SavedGame
    boards: tuple[str, ...]
    captions: tuple[str, ...]


def _show(kept: SavedGame) -> None:
    shown = _positions(kept)
    one, two = kept.players
    print(f"{kept.game}: {one.name} against {two.name}  {recording.result(kept)}  {kept.date}")
    if sys.stdin.isatty() and sys.stdout.isatty():
        _step_through(shown)
        return
    for number in range(len(shown.boards)):
        _print(shown, number)


def _positions(kept: SavedGame) -> _Shown:
    """Plays the game through; raises UserError if a move in it is not legal."""
    try:
        game = rules_of(kept, game_names.load)
        session = begin(kept, game)
        boards, captions = [_board(game, session)], ["the start"]
        for number, label in enumerate(kept.moves, 1):
            seat = session.seat
            session.push(label)
            boards.append(_board(game, session))
            captions.append(f"{number}. {label}  ({kept.players[seat].name}){_note(kept, number)}")
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"the game cannot be shown: {error}") from None
    return _Shown(kept, tuple(boards), tuple(captions))


def _board(game: Game, session: Session) -> str:
    """The whole position: a record hides nothing."""
    if game.on_device:
        return game.show(session.state)
    return session.view(max(session.seat, 0))


def _note(kept: SavedGame, number: int) -> str:
    note = kept.notes[number - 1] if number <= len(kept.notes) else None
    if note is None:
        return ""
    visits = "" if note.visits is None else f", {note.visits} visits"
    return f"  value {note.value:+.3f}{visits}"


def _print(shown: _Shown, number: int) -> None:
    print(f"\n{shown.captions[number]}\n{shown.boards[number]}", flush=True)


def _step_through(shown: _Shown) -> None:
    """One position after the other, as the person types."""
    last, at = len(shown.boards) - 1, 0
    _print(shown, 0)
    print(_KEYS, file=sys.stderr)
    while True:
        print(f"{at}/{last}> ", end="", file=sys.stderr, flush=True)
        with interrupt.at_once():
            line = sys.stdin.readline()
        word = line.strip().lower()
        if not line or word == "q":
            return
        if word.isdecimal() and len(word) < 7:
            at = min(int(word), last)
        elif word in ("", "b", "e"):
            at = {"": min(at + 1, last), "b": max(at - 1, 0), "e": last}[word]
        else:
            print(_KEYS, file=sys.stderr)
            continue
        _print(shown, at)
