"""AlphaZero, by Gumbel search or PUCT: how it moves, and how it learns from its own searches.

Search improves on the network's policy; training makes the network predict the improved policy, and
the judge's verdict and later searches' values of the game. D. Silver et al., Science 362 (2018); I.
Danihelka et al., ICLR 2022.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax

from agents.learners import optimisation, played, returns
from agents.learners.base import Learner, LearnerConfig, Preferred, TrainState
from agents.nn import networks
from agents.policies import SearchName, SearchPolicy, SearchTarget
from agents.search.evaluation import check_searchable
from arena.errors import (
    SIMULATIONS,
    UserError,
    check_not_negative,
    check_positive,
    check_share,
)
from arena.play.device_loop import Record
from arena.types import Judge, Params, PyTree, State
from games import Game


@dataclass(frozen=True)
class AlphaZeroConfig(LearnerConfig):
    """Sizes and rates of AlphaZero.

    Attributes:
      simulations: a move, in training.
      search: gumbel; or puct, AlphaZero's first, with Dirichlet noise, moves drawn in proportion
        to their visits in training, and the share of visits as the target policy.
      max_considered_actions: root moves that sequential halving starts from, in gumbel.
      td_lambda: of the value target: 1 waits for the result, 0 trusts the next search.
      min_value_range: see `SearchPolicy`; gumbel's alone.
      ownership_weight: weight of a third loss, by which the network learns to predict who will own
        each cell when the game is over, in games that define it; 0 leaves it out. Owners come from
        the rules, not from the judge.
      legality_weight: weight of a loss by which the network learns to tell legal moves from others,
        which the policy does not need, but the value: how many moves a side has is often what its
        position is worth. 0 leaves it out.
    """

    network: networks.NetworkConfig = field(default_factory=networks.ResNetConfig)
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    simulations: int = 16
    search: SearchName = "gumbel"
    max_considered_actions: int = 16
    replay_window: int = 4
    td_lambda: float = 0.8
    min_value_range: float = 1.0
    ownership_weight: float = 0.0
    legality_weight: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        check_positive(self, "simulations", most=SIMULATIONS)
        check_positive(self, "max_considered_actions", "min_value_range")
        check_share(self, "td_lambda")
        if self.search not in get_args(SearchName):
            raise UserError(
                f"search must be {' or '.join(get_args(SearchName))}, not {self.search}"
            )
        check_not_negative(self, "ownership_weight", "legality_weight")

    def make(self, game: Game, judge: Judge) -> "AlphaZero":
        """AlphaZero for a game."""
        return AlphaZero(game, self, judge)


class Dataset(NamedTuple):
    """Positions to train on.

    Attributes:
      state: positions [N, ...].
      search_target: the `SearchTarget`s of the search there.
      outcome: f32[N], what it turned out to be worth to the seat that moved, by how the game ended
        or was proven to end, and by what later searches expected.
      final: positions [N, ...], how the game ended; () unless ownership is learnt.
    """

    state: State
    search_target: SearchTarget
    outcome: np.ndarray
    final: State = ()


@dataclass(frozen=True)
class Objective(optimisation.Objective):
    """Predict the target policy, the value of the game, and ownership if it is learnt."""

    config: AlphaZeroConfig

    @property
    def optimiser(self) -> optax.GradientTransformation:
        """Muon: it learns more from as many positions, and at small cost."""
        return optimisation.muon(self.config)

    def prepare(self, rows: PyTree, key: jax.Array) -> tuple[jax.Array, ...]:
        """Observations, policies, legal moves, values, and owners if learnt, turned at random."""
        movers = jax.vmap(self.game.mover)(rows.state)
        seen = jax.vmap(self.game.observe)(rows.state, movers)
        number = jnp.arange(len(rows.outcome))
        policy = jnp.zeros((len(number), self.game.num_actions))
        policy = policy.at[number[:, None], rows.search_target.move].add(rows.search_target.policy)
        if self.config.ownership_weight:  # one more plane, to be turned with the others
            owners = jax.vmap(self.game.ownership)(rows.final, movers)
            seen = jnp.concatenate([seen, owners[..., None]], -1)
        images, policies = jax.vmap(self.game.symmetries)(seen, policy)
        legal = jax.vmap(self.game.legal)(rows.state).astype(jnp.float32)
        _, allowed = jax.vmap(self.game.symmetries)(seen, legal)
        chosen = jax.random.randint(key, number.shape, 0, images.shape[1])
        value = rows.outcome
        seen, policy = images[number, chosen], policies[number, chosen]
        legal = allowed[number, chosen] > 0
        if self.config.ownership_weight:
            return seen[..., :-1], policy, legal, value, seen[..., -1]
        return seen, policy, legal, value

    def loss(
        self, params: Params, batch: PyTree, progress: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Cross-entropy of the policy, of ownership and of legality; squared error of the value."""
        observations, policy, legal, target, *owners = batch
        read = networks.apply_with_ownership if owners else networks.apply
        logits, value, *claims = read(self.game, self.config.network, params, observations)
        policy_loss = optimisation.cross_entropy(logits, legal, policy).mean()
        value_loss = jnp.square(value - target).mean()
        total = policy_loss + self.config.value_weight * value_loss
        parts = {"policy_loss": policy_loss, "value_loss": value_loss}
        if self.config.legality_weight:
            parts["legality_loss"] = optimisation.illegality(logits, legal).mean()
            total = total + self.config.legality_weight * parts["legality_loss"]
        for claim, owner in zip(claims, owners, strict=True):
            share = (1 + owner.reshape(claim.shape)) / 2
            parts["ownership_loss"] = optax.sigmoid_binary_cross_entropy(claim, share).mean()
            total = total + self.config.ownership_weight * parts["ownership_loss"]
        return total, parts


@dataclass(frozen=True)
class AlphaZero(Learner[Params, SearchTarget, Dataset]):
    """Learns from its own searches: any game of perfect information, dice included."""

    Config = AlphaZeroConfig

    config: AlphaZeroConfig

    @property
    def needs_final_states(self) -> bool:
        """Ownership is read off them."""
        return self.config.ownership_weight > 0

    def check(self) -> None:
        """Raises ValueError for a game that cannot be searched, or has no owners to learn."""
        check_searchable(self.game)
        if self.config.ownership_weight:
            jax.eval_shape(self.game.ownership, self.game.template(), np.int32(0))

    def init(self, key: jax.Array) -> TrainState:
        """A random network."""
        params = networks.initialise(
            self.game, self.config.network, key, ownership=self.config.ownership_weight > 0
        )
        return optimisation.init(self._objective, params)

    @property
    def _objective(self) -> Objective:
        return Objective(self.game, self.config)

    def behaviour_policy(self) -> SearchPolicy:
        """Search with noise at the root; its aux are `SearchTarget`s."""
        return SearchPolicy(
            self.game,
            self.config.network,
            self.config.simulations,
            search=self.config.search,
            max_considered_actions=self.config.max_considered_actions,
            explore=True,
            judge=self.judge,
            min_value_range=self.config.min_value_range,
        )

    def eval_policy(self, simulations: int) -> SearchPolicy:
        """The strongest move of a search; the network's favourite without one."""
        return SearchPolicy(
            self.game,
            self.config.network,
            simulations,
            search=self.config.search,
            judge=self.judge,
            min_value_range=self.config.min_value_range,
        )

    def logits(self, params: Params, observations: jax.Array) -> jax.Array:
        """The network's policy, f32[B, A]."""
        return networks.apply(self.game, self.config.network, params, observations)[0]

    def value(self, params: Params, observations: jax.Array) -> jax.Array:
        """What the network expects, f32[B]."""
        return networks.apply(self.game, self.config.network, params, observations)[1]

    def dataset_template(self) -> Dataset:
        """A dataset's structure."""
        state = self.game.template()
        final = state if self.config.ownership_weight else ()
        return Dataset(state, SearchTarget(*(np.empty(0),) * 4), np.empty(0), final)

    def make_dataset(self, record: Record, scores: np.ndarray, learns: np.ndarray) -> Dataset:
        """Positions with the searches' policies, and values by TD(lambda); see `Learner`."""
        made = played.games(record, scores, learns)
        value = made.sign * made.aux.value
        target = made.sign * _targets(
            made.game, value, made.aux.proven, made.score, self.config.td_lambda
        )
        data = Dataset(made.state, made.aux, target, ())
        finals = jax.tree.map(
            lambda x: x[made.group[made.own], made.number[made.own]], record.finals
        )
        return jax.tree.map(lambda x: x[made.own], data)._replace(final=finals)

    def preferred(self, data: Dataset) -> Preferred:
        """What the search prefers."""
        found = data.search_target
        policy, move = np.asarray(found.policy), np.asarray(found.move, np.int32)
        return Preferred(data.state, move, policy, data.outcome, drawn=False)

    def learn(
        self, state: TrainState, data: Dataset, *, fresh: int, progress: float, key: jax.Array
    ) -> tuple[TrainState, dict[str, float]]:
        """Trains on the data, under random symmetries of the board; see `optimisation.fit`."""
        return optimisation.fit(
            self._objective, state, data, fresh=fresh, progress=progress, key=key
        )


def _targets(
    game: np.ndarray, value: np.ndarray, proven: np.ndarray, score: np.ndarray, td_lambda: float
) -> np.ndarray:
    """What positions are taken to be worth f32[N], all by the scale of the same seat.

    A proof ends a game as its rules do: what was played after it, and the mistakes in it, have
    no bearing on what came before.

    Args:
      game: i64[N], which game it is; the positions of each lie together, in the order of play.
      value: f32[N], what the search expected there.
      proven: bool[N], whether that is certain.
      score: f32[N], how the game ended.
      td_lambda: lambda.
    """
    last = proven | (game != np.append(game[1:], -1))
    outcome = np.where(proven, value, score)
    return value + returns.advantages(value, outcome, last, td_lambda=td_lambda)
