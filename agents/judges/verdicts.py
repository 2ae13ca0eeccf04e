"""What people have said: a file of verdicts, a line of JSON each.

The first line says which game it is of. Every other line is one verdict: the moves that lead to a
position, or to two of them; what was said; who said it, when, and how many seconds it took. Lines
are only ever added, each whole: a file that was cut short has lost its last line at most.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import jax
import numpy as np

from arena.errors import UserError
from arena.evaluation.enumeration import choices
from arena.types import State
from games import Game

FORMAT = "arena-verdicts-1"
_HELD_OUT = 5


@dataclass(frozen=True)
class Question:
    """What a person is asked.

    Attributes:
      moves: from the start, outcomes of chance included, that lead to a position.
      other: those that lead to a second one; None if there is one alone.
    """

    moves: tuple[int, ...]
    other: tuple[int, ...] | None = None

    @property
    def held_out(self) -> bool:
        """Whether the verdict on it measures the model that chooses questions; one in five does.

        It follows from the question alone, so that a verdict is held out wherever it is read.
        """
        text = json.dumps([self.moves, self.other])
        return hashlib.sha256(text.encode()).digest()[0] % _HELD_OUT == 0


@dataclass(frozen=True)
class HumanVerdict:
    """What a person answered.

    Attributes:
      question: what was asked.
      verdict: 1: seat 0 stands better than seat 1, or in the first position than in the second; -1:
        the other way round; 0: equal.
      who: the person's name.
      when: seconds since 1970, UTC.
      seconds: that it took.
    """

    question: Question
    verdict: int
    who: str
    when: float
    seconds: float


@dataclass(frozen=True)
class VerdictFile:
    """Verdicts on one game.

    Attributes:
      path: of the file.
      game: what they are on.
    """

    path: Path
    game: Game

    @property
    def _head(self) -> dict[str, Any]:
        return {"format": FORMAT, "game": repr(self.game), "game_version": self.game.version}

    def size(self) -> int:
        """Bytes of the file, 0 if there is none: whether it has been added to."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise UserError(f"{self.path} cannot be read: {error.strerror}") from None

    def read(self) -> list[HumanVerdict]:
        """All verdicts, in order; none if there is no file yet.

        Raises:
          UserError: it is another game's, or damaged: a line but the last is none.
        """
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{self.path} cannot be read: {error}") from None
        head, *lines = text.split("\n")
        self._check_head(head)
        found = []
        for number, line in enumerate(lines, 2):
            if not line or number == len(lines) + 1:
                continue  # the last line is whole if an end of line follows
            found.append(self._verdict(number, line))
        return found

    def _check_head(self, line: str) -> None:
        try:
            head = json.loads(line)
            known = head["format"] == FORMAT
        except (ValueError, TypeError, KeyError):
            known, head = False, {}
        if not known:
            raise UserError(f"{self.path} is not a file of verdicts")
        if head != self._head:
            raise UserError(
                f"{self.path} holds verdicts on {head.get('game')} "
                f"(version {head.get('game_version')}), not on {self.game!r}"
            )

    def _verdict(self, number: int, line: str) -> HumanVerdict:
        try:
            item = json.loads(line)
            other = item["other"]
            question = Question(
                tuple(map(int, item["moves"])), None if other is None else tuple(map(int, other))
            )
            said, seconds = int(item["verdict"]), float(item["seconds"])
            if said not in (-1, 0, 1):
                raise ValueError("it is not -1, 0 or 1")
            return HumanVerdict(question, said, str(item["who"]), float(item["when"]), seconds)
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{self.path}, line {number}, is no verdict: {error}") from None

    def add(self, verdict: HumanVerdict) -> None:
        """Adds a verdict; it is on disk when this returns. Others may add theirs at the same time.

        Raises:
          UserError: it cannot be written.
        """
        body = {**asdict(verdict), **asdict(verdict.question)}
        body.pop("question")
        if not self.path.parent.is_dir():
            raise UserError(f"{self.path} cannot be written: there is no such folder")
        try:
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not file.seek(0, os.SEEK_END):
                    file.write(json.dumps(self._head).encode() + b"\n")
                else:
                    self._mend(file)
                file.write(json.dumps(body).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}") from None

    def _mend(self, file: BinaryIO) -> None:
        """Removes a last line that was cut short."""
        file.seek(0)
        content = file.read()
        if not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)

    @staticmethod
    def contradictions(verdicts: Sequence[HumanVerdict]) -> int:
        """How many verdicts say the opposite of an earlier one on the same question."""
        known: dict[Question, int] = {}
        count = 0
        for one in verdicts:
            before = known.setdefault(one.question, one.verdict)
            count += before * one.verdict < 0
        return count


@cache
def _compiled(game: Game) -> tuple[Callable[..., State], Callable[[State], jax.Array]]:
    return jax.jit(game.step), jax.jit(partial(choices, game))


def replay(game: Game, questions: Sequence[tuple[int, ...]]) -> State:
    """The positions [N, ...] that moves lead to.

    Raises:
      UserError: a move is not legal.
    """
    return jax.tree.map(lambda *x: np.stack(x), *[position(game, moves) for moves in questions])


@lru_cache(maxsize=20_000)
def position(game: Game, moves: tuple[int, ...]) -> State:
    """The position, of numpy arrays, that moves lead to; see `replay`."""
    step, legal = _compiled(game)
    state = game.init()
    for move in moves:
        if not 0 <= move < max(game.num_actions, game.num_outcomes) or not legal(state)[move]:
            raise UserError(f"move {move} of {list(moves)} is not legal there")
        state = step(state, np.int32(move))
    return jax.tree.map(np.asarray, state)
