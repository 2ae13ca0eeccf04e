"""TD(lambda) over the positions that moves lead to: how TD-Gammon has learnt, for any open game.

It tries every legal move, asks the network what the position after it is worth, and plays the best;
where the seat goes on, as in backgammon until its dice are used, its next moves are tried as well.
The network learns that such a position is worth what the next ones turn out to be worth. Where dice
make sure that everything comes up, and a search of few simulations would drown in their outcomes,
nothing more is needed. G. Tesauro, "Temporal difference learning and TD-Gammon", Communications of
the ACM 38 (1995).

Beside it the network's policy learns which moves were best, as the prior of searches.
"""

from dataclasses import KW_ONLY, dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from agents.learners import optimisation, played, returns
from agents.learners.base import Learner, LearnerConfig, Preferred, TrainState
from agents.nn import networks
from agents.nn.outputs import playable_value
from agents.policies import SearchPolicy
from agents.search.evaluation import check_searchable
from arena.errors import check_not_negative, check_share
from arena.play.device_loop import Record
from arena.sampling import game_numbers
from arena.types import Decision, Judge, Key, Params, Policy, PyTree, State
from games import OVER, Game

_NEVER = float(np.finfo(np.float32).min)  # what an illegal move is worth
_KEPT = 64
"""Moves of a position that are kept for training."""
_CHUNK = 256
"""Positions that are made and evaluated at a time."""
_TURN = 2
"""Moves of one seat in a row that are tried together where it counts: a turn of backgammon but for
doubles. Against one at a time they win 65.4 ± 4.2 % of 500 games, three 65.4 and all four of a
double 61.6 %. Games for training are played one at a time: 500 took 1.1 s in place of 3.0."""


@dataclass(frozen=True)
class TDConfig(LearnerConfig):
    """Sizes and rates of TD(lambda).

    Attributes:
      value_weight: the errors of values are squares of a few hundredths, and at a weight of 10 the
        network served its policy instead: backgammon was learnt at a quarter of the pace.
      td_lambda: 1 waits for the result, 0 trusts the next position.
      temperature: of moves in training, drawn by what they are worth, and of the policy that is
        learnt beside; in payoffs, of which a full win is 1. 0 plays the best move always, and
        learns no more than that.
    """

    network: networks.NetworkConfig = field(default_factory=networks.MLPConfig)
    batch_size: int = 512
    replay_ratio: float = 1.0
    learning_rate: float = 2e-3
    td_lambda: float = 0.8
    value_weight: float = 300.0
    temperature: float = 0.01

    def __post_init__(self):
        super().__post_init__()
        check_share(self, "td_lambda")
        check_not_negative(self, "temperature")

    def make(self, game: Game, judge: Judge) -> "TD":
        """TD(lambda) for a game."""
        return TD(game, self, judge)


class Choice(NamedTuple):
    """What it keeps of a move in training.

    Attributes:
      made: i32[B], the move.
      value: f32[B], what the position after it is worth to the mover.
      move: i16[B, K], the moves most worth, at most 64.
      policy: f32[B, K], how likely they were.
    """

    made: jax.Array | np.ndarray
    value: jax.Array | np.ndarray
    move: jax.Array | np.ndarray
    policy: jax.Array | np.ndarray


@dataclass(frozen=True)
class LookaheadPolicy:
    """A `Policy` by what the network says of the positions after all legal moves.

    Attributes:
      game: what is played.
      network: size of the network.
      judge: who says what ended games are worth.
      turn: where the same seat moves again, a move is worth what the best one after it is, up to so
        many moves in a row.
      temperature: of moves that are drawn; 0 plays the best.
      explore: aux `Choice`s for training.
    """

    game: Game
    network: networks.NetworkConfig
    judge: Judge
    _: KW_ONLY
    turn: int = 1
    temperature: float = 0.0
    explore: bool = False

    @property
    def evaluations(self) -> int:
        """Positions that the network evaluates for one move, but for those of moves after it."""
        return self.game.num_actions

    @property
    def verdicts(self) -> int:
        """Positions that its judge is asked about for one move, likewise."""
        return self.game.num_actions

    def __call__(self, params: Params, keys: Key, states: State) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        groups = keys.shape[0]
        each = jax.tree.map(lambda x: x.reshape(groups, -1, *x.shape[1:]), states)
        worth = networks.over_agents(self._worth, params, keys, each)
        worth = worth.reshape(-1, self.game.num_actions)
        policy = _policy(worth, self.temperature)
        move = jnp.argmax(worth, -1)
        if self.temperature:
            noise = jax.vmap(lambda key, x: jax.random.gumbel(key, x.shape))
            drawn = noise(keys, worth.reshape(groups, -1, worth.shape[-1])).reshape(worth.shape)
            move = jnp.argmax(jnp.log(policy) + drawn, -1)
        move = move.astype(jnp.int32)
        if not self.explore:
            return Decision(move)
        chance, likely = jax.lax.top_k(policy, min(_KEPT, self.game.num_actions))
        value = worth[jnp.arange(len(move)), move]
        return Decision(move, Choice(move, value, likely.astype(jnp.int16), chance))

    def _worth(self, params: Params, key: Key, states: State) -> jax.Array:
        """What moves are worth to the mover, f32[S, A] in positions [S, ...] of one agent."""
        return self._tried(params, key, states, jax.vmap(self.game.legal)(states), self.turn)

    def _tried(
        self, params: Params, key: Key, states: State, legal: jax.Array, moves: int
    ) -> jax.Array:
        """The same of the moves in bool[S, A], with up to so many of a seat in a row."""
        size, end = legal.size, legal.sum(dtype=jnp.int32)
        chunk = min(_CHUNK, size)
        order = jnp.nonzero(legal.reshape(-1), size=size + chunk, fill_value=size)[0]

        def some(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            start, worth = carry
            rows = jax.lax.dynamic_slice_in_dim(order, start, chunk)
            here, move = jnp.minimum(rows // legal.shape[1], len(legal) - 1), rows % legal.shape[1]
            before = jax.tree.map(lambda x: x[here], states)
            found = self._after(params, jax.random.fold_in(key, start), before, move, moves)
            return start + chunk, worth.at[rows].set(found, mode="drop")

        worth = jnp.full(size, _NEVER)
        found = jax.lax.while_loop(lambda c: c[0] < end, some, (jnp.int32(0), worth))[1]
        return found.reshape(legal.shape)

    def _after(
        self, params: Params, key: Key, states: State, move: jax.Array, moves: int
    ) -> jax.Array:
        """What the positions after moves i32[N] are worth to the movers, f32[N]."""
        seat = jnp.maximum(jax.vmap(self.game.mover)(states), 0)
        after = jax.vmap(self.game.step)(states, move.astype(jnp.int32))
        seen = jax.vmap(self.game.observe)(after, seat)
        value = playable_value(networks.apply(self.game, self.network, params, seen)[1])
        mover = jax.vmap(self.game.mover)(after)
        over, again = mover == OVER, mover == seat
        verdict = jnp.where(seat == 0, 1.0, -1.0) * self._verdicts(key, over, after)
        worth = jnp.where(over, verdict, value)
        if moves == 1:
            return worth
        legal = jax.vmap(self.game.legal)(after) & again[:, None]
        best = self._tried(params, jax.random.fold_in(key, 1), after, legal, moves - 1).max(-1)
        return jnp.where(again, best, worth)

    def _verdicts(self, key: Key, over: jax.Array, states: State) -> jax.Array:
        if not self.judge.by_game:
            return self.judge.verdicts_where(over, states)
        rows = jnp.arange(len(over), dtype=jnp.int32)[None]
        return self.judge.verdicts_in_games(over, states, game_numbers(key[None], rows)[0])


def _policy(worth: jax.Array, temperature: float) -> jax.Array:
    """How likely moves are f32[B, A] by what they are worth f32[B, A]."""
    if temperature:
        legal = worth > _NEVER
        return jax.nn.softmax(jnp.where(legal, worth / temperature, _NEVER))
    return jax.nn.one_hot(jnp.argmax(worth, -1), worth.shape[1])


class Dataset(NamedTuple):
    """Positions to train on.

    Attributes:
      state: positions [N, ...].
      choice: the `Choice`s there.
      target: f32[N], what the position after the move turned out to be worth to who made it.
    """

    state: State
    choice: Choice
    target: np.ndarray


@dataclass(frozen=True)
class Objective(optimisation.Objective):
    """Say what positions are worth before and after a move, and which moves are worth most."""

    config: TDConfig

    @property
    def optimiser(self) -> optax.GradientTransformation:
        """Muon, as AlphaZero's."""
        return optimisation.muon(self.config)

    def prepare(self, rows: PyTree, key: jax.Array) -> tuple[jax.Array, ...]:
        """Observations before and after the moves, policies, legal moves, turned at random."""
        number = jnp.arange(len(rows.target))
        policy = jnp.zeros((len(number), self.game.num_actions))
        policy = policy.at[number[:, None], rows.choice.move].add(rows.choice.policy)
        movers = jax.vmap(self.game.mover)(rows.state)
        after = jax.vmap(self.game.step)(rows.state, rows.choice.made)
        observe, turned = jax.vmap(self.game.observe), jax.vmap(self.game.symmetries)
        before, policies = turned(observe(rows.state, movers), policy)
        legal = jax.vmap(self.game.legal)(rows.state).astype(jnp.float32)
        later, allowed = turned(observe(after, movers), legal)
        chosen = jax.random.randint(key, number.shape, 0, before.shape[1])
        before, later, policy, allowed = (
            x[number, chosen] for x in (before, later, policies, allowed)
        )
        return before, later, policy, allowed > 0, rows.target

    def loss(
        self, params: Params, batch: PyTree, progress: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Squared errors of both values, and the cross-entropy of the policy."""
        before, after, policy, legal, target = batch
        seen = jnp.concatenate([before, after])
        logits, value = networks.apply(self.game, self.config.network, params, seen)
        value_loss = jnp.square(value - jnp.concatenate([target, target])).mean()
        policy_loss = optimisation.cross_entropy(logits[: len(policy)], legal, policy).mean()
        total = policy_loss + self.config.value_weight * value_loss
        return total, {"policy_loss": policy_loss, "value_loss": value_loss}


@dataclass(frozen=True)
class TD(Learner[Params, Choice, Dataset]):
    """Learns what positions are worth: any game of perfect information, dice included."""

    Config = TDConfig

    config: TDConfig

    def check(self) -> None:
        """Raises ValueError for a game in which a position does not tell all."""
        check_searchable(self.game)

    @property
    def _objective(self) -> Objective:
        return Objective(self.game, self.config)

    def init(self, key: jax.Array) -> TrainState:
        """A random network."""
        params = networks.initialise(self.game, self.config.network, key)
        return optimisation.init(self._objective, params)

    def behaviour_policy(self) -> LookaheadPolicy:
        """Moves drawn by what they are worth; its aux are `Choice`s."""
        temperature = self.config.temperature
        return LookaheadPolicy(
            self.game, self.config.network, self.judge, temperature=temperature, explore=True
        )

    def eval_policy(self, simulations: int) -> Policy:
        """The move that is worth most, a turn ahead; with simulations, that of a search."""
        if simulations:
            return SearchPolicy(self.game, self.config.network, simulations, judge=self.judge)
        return LookaheadPolicy(self.game, self.config.network, self.judge, turn=_TURN)

    def logits(self, params: Params, observations: jax.Array) -> jax.Array:
        """The network's policy, f32[B, A]."""
        return networks.apply(self.game, self.config.network, params, observations)[0]

    def value(self, params: Params, observations: jax.Array) -> jax.Array:
        """What the network expects, f32[B]."""
        return networks.apply(self.game, self.config.network, params, observations)[1]

    def dataset_template(self) -> Dataset:
        """A dataset's structure."""
        return Dataset(self.game.template(), Choice(*(np.empty(0),) * 4), np.empty(0))

    def make_dataset(self, record: Record, scores: np.ndarray, learns: np.ndarray) -> Dataset:
        """Moves with what the positions after them turned out to be worth; see `Learner`."""
        made = played.games(record, scores, learns)
        value = made.sign * made.aux.value
        last = made.game != np.append(made.game[1:], -1)
        surprise = returns.advantages(value, made.score, last, td_lambda=self.config.td_lambda)
        data = Dataset(made.state, made.aux, made.sign * (value + surprise))
        return jax.tree.map(lambda x: x[made.own], data)

    def preferred(self, data: Dataset) -> Preferred:
        """The moves that are worth most."""
        policy, move = np.asarray(data.choice.policy), np.asarray(data.choice.move, np.int32)
        return Preferred(data.state, move, policy, data.target, drawn=False)

    def learn(
        self, state: TrainState, data: Dataset, *, fresh: int, progress: float, key: jax.Array
    ) -> tuple[TrainState, dict[str, float]]:
        """Trains on the data; see `optimisation.fit`."""
        return optimisation.fit(
            self._objective, state, data, fresh=fresh, progress=progress, key=key
        )
