"""GNU Backgammon, version 1.07 (gnu.org/software/gnubg), as a process with a command line."""

import re
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from arena.engines import process
from arena.engines.process import Engine, Pipe, short
from arena.types import Forfeit, Position
from games import CHANCE, Game
from games.backgammon import Backgammon, State, numbers

Board = tuple[tuple[int, ...], tuple[int, ...]]
"""How many checkers are where, of who plays the turn and of the other, as each counts."""

_BAR = 25
_SETUP = """
set player 0 human
set player 1 human
set cube use off
set jacoby off
set evaluation chequerplay evaluation plies {plies}
set evaluation chequerplay evaluation cubeful off
set evaluation cubedecision evaluation plies {plies}
set evaluation cubedecision evaluation cubeful off
new {contest}
set turn 1
"""
_LAST, _END = "show prompt", "The prompt is set"  # of no interest, but it ends an answer
_HINT = re.compile(r"\d+\. .*-ply (.*?) (?:Eq\.|MWC):")
_NUMBER = r"\s+(\d\.\d+)"
_ROW = re.compile(rf"(?:static|\d+ ply):{_NUMBER * 5}")
"""Of `eval`, one for each number of plies: to win, by a gammon, a backgammon; to lose by these."""
_PLAYED = re.compile(rf"^{_NUMBER[3:]}{_NUMBER * 2} -{_NUMBER * 3}$")
"""The same after a play, with the chance to lose."""
_PATH = re.compile(r"([^\s(]+)(?:\((\d)\))?")
_ALL = 10_000  # no roll can be played in so many ways


def make(game: Game, argument: str) -> process.Engines:
    """The agent `gnubg:plies=P`, P from 0 to 7 plies beyond the move; 2 is the engine's default.

    It is set to play without the cube, and to count gammons or not, as the game does. `timeout=N`
    is how many seconds an answer may take, 60 by default.

    Raises:
      ValueError: there is no such option, it cannot play the game, or it is not installed.
    """
    known = process.options("gnubg", argument, plies=range(8), timeout=process.TIMEOUTS)
    plies, timeout = known.get("plies", 2), known.get("timeout", process.TIMEOUT)
    if not isinstance(game, Backgammon):
        raise ValueError("gnubg plays backgammon, and nothing else")
    command, name = find(), f"gnubg:plies={plies}"
    return process.Engines(name, lambda: Gnubg(name, command, plies, game.gammons, timeout=timeout))


def find() -> list[str]:
    """What starts the program; raises ValueError if it is not installed."""
    # In English, and line by line: to a pipe it would write in blocks.
    prefix = ["env", "LC_ALL=C", "stdbuf", "-oL"]
    return [*prefix, process.find("gnubg", "gnubg"), "--tty", "--quiet", "--no-rc"]


class Gnubg(Engine):
    """A process that lists how a roll can be played, the best way first.

    It analyses the whole turn before each of the turn's moves, since somebody else may have
    made the first ones: it plays the best turn that can still be reached.

    Args:
      name: what the player is called.
      command: starts the process.
      plies: how far it looks ahead.
      gammons: whether they count. In a match to one point they do not.
      timeout: seconds that an answer may take.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        plies: int,
        gammons: bool,
        *,
        timeout: float = process.TIMEOUT,
    ):
        self._name, self._gammons = name, gammons
        self._pipe = Pipe(name, command, timeout=timeout)
        contest = "session" if gammons else "match 1"
        self._pipe.send(_SETUP.format(plies=plies, contest=contest))

    def choose(self, game: Game, position: Position) -> int:
        """The move with which to go on."""
        if not isinstance(game, Backgammon):
            raise Forfeit(f"{self._name} plays backgammon only")
        legal = np.flatnonzero(_compiled(game)[0](position.state))
        if len(legal) == 1:  # it may be a pass, on which there is no hint
            return int(legal[0])
        made = position.moves_from_init(self._name)
        start, first_moves = rolled(game, made), ends(game, position.state)
        for play in self.plays(start):
            try:
                end = after(start, play)
            except ValueError:
                raise Forfeit(f"{self._name} names {short(play)!r}, which is no play") from None
            if end in first_moves:
                return first_moves[end]
        raise Forfeit(f"{self._name} names no play that is legal")

    def plays(self, state: State) -> list[str]:
        """All ways to play a roll, the best first, such as `bar/22*/18 6/5(2)`.

        Raises:
          Forfeit: the engine has stopped, or gives no answer.
        """
        board = simple(numbers(state.mine), numbers(state.theirs))
        dice = int(state.dice) & 15, int(state.dice) >> 4 & 15
        self._pipe.send(
            f"set board simple {' '.join(map(str, board))}\n"
            f"set dice {dice[0]} {dice[1]}\nhint {_ALL}\n{_LAST}"
        )
        found = []
        for line in self._pipe.lines("hint"):
            if line.startswith(_END):
                break
            if hint := _HINT.match(" ".join(line.split())):
                found.append(hint[1])
        return found

    def equity(self, board: Sequence[int], dice: tuple[int, int] | None) -> float | None:
        """What who is to play expects, in single games, without the cube; gammons as they count.

        Args:
          board: as `simple`.
          dice: to be played with; None if they are to be rolled.

        Returns:
          after the best play; None if the dice cannot be played.

        Raises:
          Forfeit: the engine has stopped, or gives no answer.
        """
        ask = f"set dice {dice[0]} {dice[1]}\nhint 1" if dice else "eval"
        self._pipe.send(f"set board simple {' '.join(map(str, board))}\n{ask}\n{_LAST}")
        found, plays = None, False
        for line in self._pipe.lines(ask):
            if line.startswith(_END):
                break
            plays = plays or line.startswith("1. ")
            if dice and plays and found is None and (match := _PLAYED.match(line)):
                win, *won, _, gammon, backgammon = map(float, match.groups())
                found = win, *won, gammon, backgammon
            if not dice and (match := _ROW.match(line)):
                found = tuple(map(float, match.groups()))  # the last row looks farthest ahead
        if found is None and not dice:
            raise Forfeit(f"{self._name} gives no chances")
        if found is None:
            return None
        win, *rest = found
        single = 2 * win - 1
        return single + rest[0] + rest[1] - rest[2] - rest[3] if self._gammons else single

    def close(self) -> None:
        """Ends the process."""
        self._pipe.close("quit\nyes")  # it asks whether the contest shall end


def simple(mine: Sequence[int], theirs: Sequence[int]) -> list[int]:
    """A board as `set board simple` takes it: the bar, points 1 to 24, the other's bar."""
    return [mine[_BAR], *(mine[p] - theirs[25 - p] for p in range(1, 25)), theirs[_BAR]]


@cache
def _compiled(game: Backgammon) -> tuple[Any, Any, Any]:
    """Jitted: what is legal, the positions after every move, and that after the last roll."""

    def grow(state: State) -> State:
        return jax.vmap(partial(game.step, state))(jnp.arange(game.num_actions))

    def roll(made: jax.Array, count: jax.Array) -> State:
        def step(ply: jax.Array, carry: tuple[State, State]) -> tuple[State, State]:
            state, start = carry
            rolling, state = game.mover(state) == CHANCE, game.step(state, made[ply])
            return state, jax.tree.map(partial(jnp.where, rolling), state, start)

        return jax.lax.fori_loop(0, count, step, (game.init(), game.init()))[1]

    return jax.jit(game.legal), jax.jit(grow), jax.jit(roll)


def rolled(game: Backgammon, made: Sequence[int]) -> State:
    """How the turn began, the dice rolled, that these moves from the start of the game led to."""
    room = np.zeros(game.max_plies, np.int32)
    room[: len(made)] = made
    return jax.tree.map(np.asarray, _compiled(game)[2](room, len(made)))


def ends(game: Backgammon, state: State) -> dict[Board, int]:
    """The boards with which the turn can end, and for each a legal move that leads there."""
    legal, grow, _ = _compiled(game)
    found, seen, waiting = {}, set(), [(state, -1)]
    while waiting:
        state, first = waiting.pop()
        following = jax.tree.map(np.asarray, grow(state))
        for move in np.flatnonzero(legal(state)).tolist():
            new = jax.tree.map(lambda words, k=move: words[k], following)
            begun = move if first < 0 else first
            mine, theirs = tuple(numbers(new.mine)), tuple(numbers(new.theirs))
            if new.dice == 0:  # the turn has passed to the other seat
                found.setdefault((theirs, mine), begun)
            elif (mine, theirs, int(new.dice)) not in seen:
                seen.add((mine, theirs, int(new.dice)))
                waiting.append((new, begun))
    return found


def after(state: State, play: str) -> Board:
    """The board after a play such as `24/18(2) 13/11*/7`; a star marks a hit.

    Raises:
      ValueError: that is no play.
    """
    mine, theirs = numbers(state.mine), numbers(state.theirs)
    for path, times in _PATH.findall(play):
        stops = path.split("/")
        places = [_place(stop) for stop in stops]
        mine[places[0]] -= int(times or 1)
        mine[places[-1]] += int(times or 1)
        for stop, place in zip(stops, places, strict=True):
            hit = stop.endswith("*")
            theirs[25 - place] -= hit
            theirs[_BAR] += hit
    return tuple(mine), tuple(theirs)


def _place(stop: str) -> int:
    """Where `bar`, `13*` or `off` is; ValueError if it is nowhere."""
    known = {"bar": _BAR, "off": 0}
    place = known[stop] if stop in known else int(stop.rstrip("*"))
    if not 0 <= place <= _BAR:
        raise ValueError(f"there is no point {place}")
    return place
