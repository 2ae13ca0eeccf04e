"""What every learner is: an algorithm that plays, makes a dataset of the games, and learns from it.

A learner has no state of its own. What training carries from one generation to the next is a
`TrainState`, and randomness comes in as keys, so the same arguments always give the same result.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import jax
import numpy as np

from agents.nn.networks import NetworkConfig
from arena.errors import check_not_negative, check_positive, check_share
from arena.play.device_loop import Record
from arena.shards import MOST_SHARDS, SHARDS
from arena.types import Judge, Policy, PyTree
from games import Game

Params = TypeVar("Params")
"""A learner's weights, a pytree of f32 arrays."""
Aux = TypeVar("Aux")
"""What its behaviour policy keeps beside each move, a NamedTuple of arrays [B, ...]."""
Data = TypeVar("Data")
"""What it learns from, a NamedTuple of arrays [N, ...]."""


class TrainState(NamedTuple, Generic[Params]):
    """All that training carries from one generation to the next.

    Attributes:
      params: the weights.
      optimiser: the state of the optimiser.
    """

    params: Params
    optimiser: PyTree


class Preferred(NamedTuple):
    """Which moves a dataset prefers.

    Attributes:
      state: positions [N, ...].
      move: i32[N, K].
      weight: f32[N, K], how much each of them is preferred, 0 for not at all.
      target: f32[N], what the value is to be.
      drawn: whether a row is a single move that was drawn, so that only all rows of a position
        together say how often it is to be made.
    """

    state: PyTree
    move: np.ndarray
    weight: np.ndarray
    target: np.ndarray
    drawn: bool


@dataclass(frozen=True)
class LearnerConfig(ABC):
    """Sizes and rates that every learner has; it checks itself.

    Attributes:
      network: kind and size of the network.
      batch_size: positions in one gradient step.
      replay_ratio: how often each new position is trained on, on average.
      replay_window: generations of positions to train on, at most.
      replay_share: of the generations so far, the newest share that is trained on, so that what the
        first, weak policies did is soon left behind.
      learning_rate: peak of the step size; it decays to a tenth along a cosine over the run.
      weight_decay: decoupled, per step and unit of learning rate.
      value_weight: weight of the value loss beside the policy loss.
      shards: in how many parts the gradient of a batch is computed, see `arena.shards`.

    Raises:
      UserError: a figure is out of its range.
    """

    on_policy: ClassVar[bool] = False
    """Whether it can learn from games of the newest weights alone."""

    network: NetworkConfig
    batch_size: int = 512
    replay_ratio: float = 5.0
    replay_window: int = 1
    replay_share: float = 1.0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    value_weight: float = 1.0
    shards: int = SHARDS

    def __post_init__(self):
        check_positive(self, "batch_size", most=10**7)
        check_positive(self, "replay_ratio", "replay_window", "learning_rate", "value_weight")
        check_positive(self, "shards", most=MOST_SHARDS)
        check_share(self, "replay_share")
        check_not_negative(self, "weight_decay")

    def replayed(self, generation: int) -> int:
        """How many generations are trained on in one, itself included."""
        share = math.ceil(self.replay_share * generation)
        return min(self.replay_window, max(1, share))

    @abstractmethod
    def make(self, game: Game, judge: Judge) -> "Learner[Any, Any, Any]":
        """The learner of a game with this configuration."""


@dataclass(frozen=True)
class Learner(ABC, Generic[Params, Aux, Data]):
    """A learning algorithm, for one game.

    A subclass in a file of `agents/learners/` is found by the name of the file; one from outside by
    `MODULE:CLASS`. It sets `Config`, its class of configurations.

    Attributes:
      game: what is played.
      config: sizes and rates, an instance of `Config`.
      judge: who says who won, in its searches.
    """

    Config: ClassVar[type[LearnerConfig]]

    game: Game
    config: Any
    judge: Judge

    @property
    def needs_final_states(self) -> bool:
        """Whether `make_dataset` reads the final positions of games, and not only the scores."""
        return False

    @abstractmethod
    def check(self) -> None:
        """Raises ValueError, in one line, if it cannot learn this game."""

    @abstractmethod
    def init(self, key: jax.Array) -> TrainState[Params]:
        """The state before anything is learnt: random weights."""

    @abstractmethod
    def behaviour_policy(self) -> Policy:
        """How it moves in training games: it explores, and its decisions carry an Aux."""

    @abstractmethod
    def eval_policy(self, simulations: int) -> Policy:
        """How it moves in measured games.

        Args:
          simulations: of the search a move; 0 plays without search.

        Raises:
          ValueError: simulations are given for a game that cannot be searched.
        """

    @abstractmethod
    def logits(self, params: Params, observations: jax.Array) -> jax.Array:
        """Logits f32[B, A] of the policy without search, for observations f32[B, ...]."""

    def value(self, params: Params, observations: jax.Array) -> jax.Array:
        """What the network expects f32[B], for observations f32[B, ...].

        Raises:
          ValueError: the learner has no such network.
        """
        raise ValueError(f"{type(self).__name__} does not say what it expects of a position")

    @abstractmethod
    def dataset_template(self) -> Data:
        """A dataset whose leaves are of no account: the structure alone."""

    @abstractmethod
    def make_dataset(self, record: Record, scores: np.ndarray, learns: np.ndarray) -> Data:
        """Turns the record of a batch of matches into positions to train on.

        Args:
          record: numpy arrays; the moves were made by `behaviour_policy`, on the sides that learn.
          scores: f32[G, P, 2], agent A's score in [0, 1] by match, pair and game.
          learns: bool[2, G], whose moves are to be learnt: those of side A and B in each match.

        Returns:
          N positions, those of a game together, in the order of play.
        """

    def preferred(self, data: Data) -> Preferred:
        """Which moves a dataset prefers, for those who look at it.

        Raises:
          ValueError: the learner does not say.
        """
        raise ValueError(f"{type(self).__name__} does not say which moves it prefers")

    @abstractmethod
    def learn(
        self,
        state: TrainState[Params],
        data: Data,
        *,
        fresh: int,
        progress: float,
        key: jax.Array,
    ) -> tuple[TrainState[Params], dict[str, float]]:
        """Trains on a dataset.

        Args:
          state: where training stands.
          data: numpy arrays [N, ...], the newest positions last.
          fresh: how many of them are new; they set the number of gradient steps.
          progress: share of the run that is done, in [0, 1].
          key: PRNG key.

        Returns:
          the state after it, and mean losses, `loss` their total.
        """
