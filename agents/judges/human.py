"""A judge that is people: a model of their verdicts, learnt anew before every generation."""

from collections.abc import Callable, Iterator, Sequence
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
    other = replay(game, [_other(one.question) for one in verdicts])
    pair = np.array([one.question.other is not None for one in verdicts], np.float32)
    return Comparisons(states, other, pair, np.array([one.verdict for one in verdicts], np.float32))


def _other(question: Question) -> tuple[int, ...]:
    """The moves to the second position; where there is none, to the first."""
    return question.moves if question.other is None else question.other


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

    @staticmethod
    def with_files(argument: str, change: Callable[[str], str], other: Callable[[str], str]) -> str:
        """See `Judge`."""
        return change(argument)

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

    def opinions(self, params: Params, states: State, others: State | None = None) -> np.ndarray:
        """What each member of a model would answer, f32[K, N] in [-1, 1].

        Args:
          params: weights [K, ...].
          states: positions [N, ...] whose seats are compared.
          others: positions [N, ...] to which those are compared instead.
        """
        game, network = self.file.game, self.network
        said = preference.ask(game, network, params, states)
        if others is None:
            return said
        return preference.difference(said, preference.ask(game, network, params, others))

    def verdict_by(self, params: Params, finals: State) -> jax.Array:
        """See `ParametricJudge`."""
        return preference.verdict(self.file.game, self.network, params, finals)
