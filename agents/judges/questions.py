"""Which question to ask a person next: the one that teaches most.

Of some positions that random play reaches, it is the one on which the members of the ensemble
disagree most: what they all say already teaches nothing. Whatever shows questions to people, a
terminal or a page, calls `next_question` and `answer`.
"""

import time
from dataclasses import dataclass, field

import jax
import numpy as np

from agents.judges import preference
from agents.judges.human import HumanJudge
from agents.judges.verdicts import HumanVerdict, Question
from arena.play.openings import recorded_openings
from arena.types import Params, Positions
from games import Game

_CANDIDATES = 256
_FIRST = 16
"""Questions that are drawn before there is a model to choose by."""
_EVERY = 40
"""Verdicts after which the model is learnt anew."""


@dataclass
class Questionnaire:
    """Asks people about one game, by what is in a file and what they add to it.

    Attributes:
      judge: with the file.
      seed: of the positions that are asked about.
    """

    judge: HumanJudge
    seed: int = 0
    _verdicts: list[HumanVerdict] = field(init=False)
    _params: Params | None = field(default=None, init=False)
    _learnt: int = field(default=0, init=False)

    def __post_init__(self):
        self._verdicts = self.judge.file.read()

    @property
    def game(self) -> Game:
        """What is asked about."""
        return self.judge.file.game

    @property
    def count(self) -> int:
        """Verdicts in the file."""
        return len(self._verdicts)

    def next_question(self) -> Question:
        """The question that teaches most, of some that were not asked before."""
        self._learn()
        found = self.candidates(self.count)
        asked = {one.question for one in self._verdicts}
        new = [n for n, moves in enumerate(found.moves) if Question(tuple(moves)) not in asked]
        new = new or list(range(len(found.moves)))
        if self._params is None:
            return Question(tuple(found.moves[new[0]]))
        states = jax.tree.map(lambda x: np.asarray(x)[new], found.states)
        said = preference.ask(self.game, self.judge.network, self._params, states)
        # The chance that a member gives, whose spread is largest where they contradict each other.
        doubt = ((1 + said) / 2).std(0)
        return Question(tuple(found.moves[new[int(doubt.argmax())]]))

    def answer(self, question: Question, verdict: int, *, who: str, seconds: float) -> None:
        """Keeps what a person has said: 1 if seat 0 stands better, -1 if seat 1 does, 0 if none."""
        found = HumanVerdict(question, verdict, who, time.time(), seconds)
        self.judge.file.add(found)
        self._verdicts.append(found)

    def candidates(self, number: int) -> Positions:
        """Positions to choose the question of this number from, after up to all random moves."""
        key = jax.random.fold_in(jax.random.key(self.seed), number)
        plies = max(1, min(self.game.typical_plies, self.game.max_plies - 1))
        return recorded_openings(self.game, key, count=_CANDIDATES, plies=plies, room=_CANDIDATES)

    def _learn(self) -> None:
        """Learns the model anew, if there is enough that it has not learnt."""
        if self.count >= _FIRST and self.count - self._learnt >= min(_EVERY, max(1, self._learnt)):
            self._params, self._learnt = self.judge.fit(self._verdicts), self.count
