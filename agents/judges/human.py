"""A judge that is people: a model of their verdicts, learnt anew before every generation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from agents.judges import preference
from agents.judges.preference import Comparisons
from agents.judges.verdicts import HumanVerdict, Question, VerdictFile, replay
from agents.nn.networks import MLPConfig, NetworkConfig
from arena.errors import UserError
from arena.judges.names import JudgeContext
from arena.types import ParametricJudge, Params, State, TrainingMoment
from games import Game

NETWORK = MLPConfig(width=64, layers=1)
"""Small: people do not say much."""
ENSEMBLE = 4
"""Networks, whose disagreement says what to ask next."""


def comparisons(game: Game, verdicts: Sequence[HumanVerdict]) -> Comparisons:
    """People's verdicts as what a preference model learns from; N of them, at least one.

    Raises:
      UserError: a move in a question is not legal.
    """
    states = replay(game, [one.question.moves for one in verdicts])
    other = replay(game, _others([one.question for one in verdicts]))
    pair = np.array([one.question.other is not None for one in verdicts], np.float32)
    return Comparisons(states, other, pair, np.array([one.verdict for one in verdicts], np.float32))


def _others(questions: Sequence[Question]) -> list[tuple[int, ...]]:
    """The moves to the second position; where there is none, to the first."""
    return [one.moves if one.other is None else one.other for one in questions]


@dataclass(frozen=True)
class HumanJudge(ParametricJudge):
    """Who stands better as a preference model has learnt it from the verdicts in a file.

    While a run goes on, people may go on to answer: each generation is judged by a model of what
    was in the file when it began. The run keeps that model, and so a generation that is done over
    is judged as before.

    Attributes:
      file: of the verdicts.
      network: of each member of the model.
    """

    file: VerdictFile
    network: NetworkConfig = NETWORK
    any_position = True

    @classmethod
    def from_text(cls, game: Game, argument: str, context: JudgeContext) -> "HumanJudge":
        """`human:FILE`."""
        if not argument:
            raise ValueError("human:FILE, of verdicts that arena judge ask has written")
        if not game.on_device:
            raise ValueError("it judges games whose rules are compiled")
        path = Path(argument)
        file = VerdictFile(path, game)
        if not file.read():
            raise UserError(f"{path} holds no verdicts yet: arena judge ask GAME {path}")
        return cls(file)

    @property
    def evaluations(self) -> int:
        """Of every member one in either seat."""
        return 2 * ENSEMBLE

    def human_verdicts(self) -> int:
        """See `Judge`."""
        return len(self.file.read())

    def weights_for(self, moment: TrainingMoment) -> Params:
        """See `ParametricJudge`."""
        return moment.keep(lambda: self.fit(self.file.read()))

    def fit(self, verdicts: Sequence[HumanVerdict]) -> Params:
        """The model of some verdicts, weights [K, ...]."""
        return preference.stacked(list(self.fitting(verdicts)))

    def fitting(self, verdicts: Sequence[HumanVerdict]) -> Iterator[Params]:
        """As `fit`, the weights of one member after the other."""
        data, key = comparisons(self.file.game, verdicts), jax.random.key(0)
        return preference.fitting(self.file.game, self.network, data, key=key, ensemble=ENSEMBLE)

    def opinions(self, params: Params, questions: Sequence[Question]) -> np.ndarray:
        """How each member of a model, weights [K, ...], would answer, f32[K, N] in [-1, 1].

        The chance that it gives to the answer 1 is half of one more than that.
        """
        game, network = self.file.game, self.network
        said = preference.ask(game, network, params, replay(game, [q.moves for q in questions]))
        if all(question.other is None for question in questions):
            return said
        other = preference.ask(game, network, params, replay(game, _others(questions)))
        pair = np.array([question.other is not None for question in questions])
        return np.where(pair, preference.difference(said, other), said)

    def verdict_by(self, params: Params, finals: State) -> jax.Array:
        """See `ParametricJudge`."""
        return preference.verdict(self.file.game, self.network, params, finals)
