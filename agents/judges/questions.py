"""Which question to ask a person next: the one that teaches most.

Of some positions that random play reaches, or pairs of them, it is the one on which the members of
the ensemble disagree most: what they all say already teaches nothing. One question in five is drawn
without choice, and the model that chooses never learns the verdict on it: they say how well the
model foretells people. Whatever shows questions to people, a terminal or a page, calls
`next_question` and `answer`.
"""

import math
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

import jax
import numpy as np

from agents.judges import preference
from agents.judges.human import HumanJudge
from agents.judges.verdicts import HumanVerdict, Question
from arena.chance import generators
from arena.errors import UserError
from arena.play.openings import recorded_openings
from arena.play.sessions import Sessions, starts
from arena.types import Params
from games import CHANCE, OVER, Game

Kind = Literal["seats", "positions", "games"]
"""What is compared: the seats in a position, or the first seat's lot in two positions or games."""

_CANDIDATES = 256
"""Positions or games that random play brings, to choose a question from."""
_FIRST = 16
"""Questions that are drawn before there is a model to choose by."""
_EVERY = 40
"""Verdicts after which the model is learnt anew."""
_TEST = 5
"""Every so many-th question is drawn from those whose verdicts are held out."""


@dataclass(frozen=True)
class Agreement:
    """How well the model foretells verdicts that it has not learnt.

    Attributes:
      learnt: verdicts that it has learnt.
      decided: held-out ones that prefer one side.
      right: in how many of them it prefers the same.
    """

    learnt: int
    decided: int
    right: int


@dataclass
class Questionnaire:
    """Asks people about one game, by what is in a file and what they add to it.

    Attributes:
      judge: with the file.
      seed: of the positions that are asked about.
      agreement: of the model that chooses questions; None as long as there is none.
    """

    judge: HumanJudge
    seed: int = 0
    agreement: Agreement | None = field(default=None, init=False)
    _verdicts: list[HumanVerdict] = field(init=False)
    _read: int = field(default=-1, init=False)
    _params: Params | None = field(default=None, init=False)
    _learnt: int = field(default=0, init=False)

    def __post_init__(self):
        self.refresh()

    @property
    def game(self) -> Game:
        """What is asked about."""
        return self.judge.file.game

    @property
    def verdicts(self) -> tuple[HumanVerdict, ...]:
        """Those in the file, as it was read last."""
        return tuple(self._verdicts)

    @property
    def count(self) -> int:
        """Verdicts in the file."""
        return len(self._verdicts)

    def refresh(self) -> None:
        """Reads the file, to which others may have added, if it has changed."""
        size = self.judge.file.size()
        if size != self._read:
            self._verdicts, self._read = self.judge.file.read(), size

    def next_question(self, kind: Kind = "seats", *, taken: Collection[Question] = ()) -> Question:
        """The question that teaches most, of some that were not asked before.

        Args:
          kind: what is compared.
          taken: questions that are not to be asked: someone has them already, or did not like them.
        """
        self.refresh()
        asked = {one.question for one in self._verdicts} | set(taken)
        found = self._candidates(kind, self.count + len(taken))
        new = [question for question in found if question not in asked]
        new = new or [question for question in found if question not in taken] or found
        testing = self.count % _TEST == _TEST - 1
        part = [question for question in new if question.held_out == testing] or new
        if testing or self._params is None:
            return part[0]
        # The chance that a member gives, whose spread is largest where they contradict each other.
        doubt = ((1 + self.judge.opinions(self._params, part)) / 2).std(0)
        return part[int(doubt.argmax())]

    def answer(self, question: Question, verdict: int, *, who: str, seconds: float) -> None:
        """Keeps what a person has said: 1 if seat 0 stands better, -1 if seat 1 does, 0 if none.

        Of two positions: 1 if seat 0 stands better in the first, -1 if in the second. What is in
        the file already, by the same person on the same question and to the same millisecond, has
        been sent twice, and is kept once.
        """
        found = HumanVerdict(question, verdict, who, time.time(), seconds)
        self.refresh()
        if any(_same(found, one) for one in self._verdicts):
            return
        self.judge.file.add(found)
        self.refresh()

    @property
    def due(self) -> bool:
        """Whether there is enough that the model has not learnt."""
        fresh = self.count - self._learnt
        return self.count >= _FIRST and fresh >= min(_EVERY, max(1, self._learnt))

    def learn(self) -> None:
        """Learns the model anew, if it is due."""
        if self.due:
            for _ in self.learning():
                pass

    def learning(self) -> Iterator[None]:
        """Learns the model anew, in pieces; until the last one questions go by the old one."""
        verdicts = self.verdicts
        known = [one for one in verdicts if not one.question.held_out]
        test = [one for one in verdicts if one.question.held_out and one.verdict]
        if not known:
            return
        members = []
        for member in self.judge.fitting(known):
            members.append(member)
            yield
        params, right = preference.stacked(members), 0
        if test:
            said = self.judge.opinions(params, [one.question for one in test]).mean(0)
            right = int((np.sign(said) == [one.verdict for one in test]).sum())
        self._params, self._learnt = params, len(verdicts)
        self.agreement = Agreement(len(known), len(test), right)

    def _candidates(self, kind: Kind, number: int) -> list[Question]:
        """Questions to choose the one of this number from."""
        if kind not in get_args(Kind):
            raise UserError(f"what is compared is {', '.join(get_args(Kind))}, not {kind!r:.40}")
        key = jax.random.fold_in(jax.random.key(self.seed), number)
        if kind == "games":
            moves = _random_games(self.game, key, _CANDIDATES)
        else:
            plies = max(1, min(self.game.typical_plies, self.game.max_plies - 1))
            found = recorded_openings(
                self.game, key, count=_CANDIDATES, plies=plies, room=_CANDIDATES
            )
            moves = [tuple(one) for one in found.moves]
        if kind == "seats":
            return [Question(one) for one in moves]
        pairs = zip(moves[::2], moves[1::2], strict=True)
        return [Question(one, other) for one, other in pairs if one != other]


def _same(one: HumanVerdict, other: HumanVerdict) -> bool:
    given = (
        (verdict.question, verdict.verdict, verdict.who, math.floor(1000 * verdict.seconds))
        for verdict in (one, other)
    )
    return next(given) == next(given)


def _random_games(game: Game, key: jax.Array, count: int) -> list[tuple[int, ...]]:
    """The moves, outcomes of chance included, of random games to their ends."""
    chance = generators(key, count)
    games = Sessions(game, starts(game, count), generators=chance, room=count)
    while True:
        mover = games.view.mover
        rolled = np.flatnonzero(mover == CHANCE).tolist()
        moved = np.flatnonzero((mover != CHANCE) & (mover != OVER)).tolist()
        if not rolled + moved:
            return [tuple(one) for one in games.positions.moves]
        moves = [int(chance[n].choice(np.flatnonzero(games.view.legal[n]))) for n in moved]
        games.step(rolled + moved, [games.draw(n) for n in rolled] + moves)
