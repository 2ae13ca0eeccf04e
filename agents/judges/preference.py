"""What a learnt judge is made of: networks that say who stands better, learnt from comparisons.

A network scores a position for a seat; the seat that scores higher is preferred, with a probability
by the model of Bradley and Terry. So a comparison of the two seats in a position, and one of two
positions from the same seat, teach the same scores (P. Christiano et al., arXiv:1706.03741). An
ensemble of networks, from different random weights, tells by its disagreement what it has not
learnt.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from agents.learners import optimisation
from agents.learners.base import LearnerConfig
from agents.nn import networks
from agents.nn.networks import NetworkConfig
from agents.nn.outputs import playable_value
from agents.nn.seen import Seen
from arena.errors import UserError
from arena.play.sessions import room_for
from arena.types import Judge, Key, Params, State
from games import Game

_SHARPNESS = 8.0
"""Networks answer in [-1, 1]: that times half the difference is the logit of being preferred."""
_PHASES = 4
"""The learning rate falls in so many steps."""
_ROWS, _MOST = 20_000, 40
"""Comparisons that each network is trained on, repetitions included, and repetitions at most."""


class Comparisons(NamedTuple):
    """N comparisons: of the two seats in a position, or of two positions for seat 0.

    Attributes:
      state: positions [N, ...].
      other: positions [N, ...] to which these are compared.
      pair: f32[N], 1 where two positions are compared, 0 where the two seats are.
      verdict: f32[N] in [-1, 1]: 1 if seat 0 stands better, or better than in the other position.
    """

    state: State
    other: State
    pair: np.ndarray
    verdict: np.ndarray


def of_positions(states: State, verdicts: np.ndarray) -> Comparisons:
    """Comparisons of the two seats in positions [N, ...]."""
    none = np.zeros(len(verdicts), np.float32)
    return Comparisons(states, states, none, np.asarray(verdicts, np.float32))


@dataclass(frozen=True)
class Observed(Seen):
    """A game of hidden information in which a seat sees what the other sees, too."""

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Both observations, one behind the other in the last axis."""
        own, other = self.game.observe(state, seat), self.game.observe(state, 1 - seat)
        return jnp.concatenate([own, other], -1)


def observed(game: Game) -> Game:
    """The game as a judge sees it: with all that either seat sees."""
    return game if game.perfect_information else Observed(game)


@dataclass(frozen=True)
class PreferenceConfig(LearnerConfig):
    """How a network learns from comparisons."""

    network: NetworkConfig = field(default_factory=networks.MLPConfig)
    batch_size: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3
    shards: int = 1

    def make(self, game: Game, judge: Judge) -> Any:
        """Raises ValueError: it learns from comparisons, not from games."""
        raise ValueError("a preference model learns from comparisons, not from games")


def _score(game: Game, network: NetworkConfig, params: Params, states: State) -> jax.Array:
    """Logits f32[B] that seat 0 is preferred to seat 1, by one network."""
    seen = [jax.vmap(game.observe, (0, None))(states, jnp.int32(seat)) for seat in (0, 1)]
    first, second = (networks.apply(game, network, params, one)[1] for one in seen)
    return _SHARPNESS / 2 * (playable_value(first) - playable_value(second))


@dataclass(frozen=True)
class Objective(optimisation.Objective):
    """The log likelihood of the comparisons under Bradley and Terry's model.

    Attributes:
      pairs: whether some are of two positions.
    """

    config: PreferenceConfig
    pairs: bool = True

    def prepare(self, rows: Comparisons, key: jax.Array) -> Any:
        """What both seats see in both positions under a random symmetry, pairs, and verdicts."""
        count = len(rows.verdict)
        number, seats = jnp.arange(count), jnp.arange(2, dtype=jnp.int32)
        chance = jax.random.bits(key, (count,))

        def look(states: State) -> jax.Array:
            seen = jax.vmap(jax.vmap(self.game.observe, (None, 0)), (0, None))(states, seats)
            none = jnp.zeros(self.game.num_actions)
            images = jax.vmap(jax.vmap(lambda one: self.game.symmetries(one, none)[0]))(seen)
            return images[number, :, (chance % images.shape[2]).astype(jnp.int32)]

        other = look(rows.other) if self.pairs else ()
        return look(rows.state), other, rows.pair, rows.verdict

    def loss(
        self, params: Params, batch: Any, progress: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Mean cross-entropy, nats a comparison."""
        state, other, pair, verdict = batch

        def score(seen: jax.Array) -> jax.Array:
            flat = seen.reshape(-1, *seen.shape[2:])
            value = networks.apply(self.game, self.config.network, params, flat)[1]
            value = value.reshape(-1, 2)
            return _SHARPNESS / 2 * (value[:, 0] - value[:, 1])

        logit = score(state) - pair * score(other) if self.pairs else score(state)
        loss = optax.sigmoid_binary_cross_entropy(logit, (1 + verdict) / 2).mean()
        return loss, {}


def fit(
    game: Game,
    network: NetworkConfig,
    data: Comparisons,
    *,
    key: Key,
    ensemble: int = 1,
) -> Params:
    """Trains an ensemble.

    Args:
      game: whose positions are compared.
      network: of each member.
      data: N comparisons, at least one.
      key: PRNG key.
      ensemble: K, members.

    Returns:
      their weights, stacked [K, ...].
    """
    return stacked(list(fitting(game, network, data, key=key, ensemble=ensemble)))


def stacked(members: Sequence[Params]) -> Params:
    """The weights of an ensemble [K, ...] from those of its members."""
    return jax.tree.map(lambda *x: np.stack(x), *members)


def fitting(
    game: Game,
    network: NetworkConfig,
    data: Comparisons,
    *,
    key: Key,
    ensemble: int = 1,
) -> Iterator[Params]:
    """As `fit`, one member after the other, for who has other things to do in between."""
    count = len(data.verdict)
    if not count:
        raise UserError("there is nothing to learn from: no comparison has been made")
    repeats = min(_MOST, max(4.0, _ROWS / count)) / _PHASES
    config = PreferenceConfig(network, batch_size=64, replay_ratio=repeats)
    objective = Objective(observed(game), config, bool(data.pair.any()))
    for member in range(ensemble):
        own = jax.random.fold_in(key, member)
        params = networks.initialise(objective.game, network, jax.random.fold_in(own, 0))
        state = optimisation.init(objective, params)
        for phase in range(_PHASES):
            state, _ = optimisation.fit(
                objective,
                state,
                data,
                fresh=count,
                progress=phase / (_PHASES - 1),
                key=jax.random.fold_in(own, 1 + phase),
            )
        yield jax.tree.map(np.asarray, state.params)


def opinions(game: Game, network: NetworkConfig, params: Params, states: State) -> jax.Array:
    """What each member of an ensemble says of positions.

    Args:
      game: whose positions they are.
      network: of each member.
      params: weights [K, ...].
      states: positions [B, ...].

    Returns:
      f32[K, B]: expected verdicts for seat 0, in (-1, 1).
    """
    score = lambda one: _score(observed(game), network, one, states)  # noqa: E731
    return jnp.tanh(jax.lax.map(score, params) / 2)


def verdict(
    game: Game, network: NetworkConfig, params: Params, states: State, *, pessimism: float = 0.0
) -> jax.Array:
    """The mean opinion f32[B], nearer to 0 by so many standard deviations of the ensemble.

    T. Coste et al., "Reward model ensembles help mitigate overoptimization", arXiv:2310.02743.
    """
    said = opinions(game, network, params, states)
    mean = said.mean(0)
    if not pessimism:
        return mean
    return jnp.sign(mean) * jnp.maximum(0.0, jnp.abs(mean) - pessimism * said.std(0))


@cache
def _asked(game: Game, network: NetworkConfig):
    return jax.jit(lambda params, states: opinions(game, network, params, states))


def ask(game: Game, network: NetworkConfig, params: Params, states: State) -> np.ndarray:
    """As `opinions`, on the host: positions of numpy arrays [N, ...], N any number."""
    count = len(jax.tree.leaves(states)[0])
    found, size = [], min(256, room_for(count))
    for at in range(0, count, size):
        index = np.minimum(np.arange(at, at + size), count - 1)
        some = jax.tree.map(lambda x, i=index: np.asarray(x)[i], states)
        found.append(np.asarray(_asked(game, network)(params, some)))
    return np.concatenate(found, 1)[:, :count]


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Opinions f32[...] on which of two positions is better, from the opinions on each."""
    first, second = (np.clip(one, -1 + 1e-6, 1 - 1e-6) for one in (first, second))
    return np.tanh(np.arctanh(first) - np.arctanh(second))


def agreement(said: np.ndarray, truth: np.ndarray) -> float:
    """How often the sign of what was said f32[N] is that of the truth, where it has one."""
    decided = truth != 0
    return float((np.sign(said) == np.sign(truth))[decided].mean()) if decided.any() else np.nan


def parse_network(text: str, game: Game) -> NetworkConfig:
    """A network by `NAME[:KEY=NUMBER,…]`; what suits the game if empty.

    Raises:
      UserError: there is none.
    """
    from agents import learners  # which reads this package's neighbours

    if not text:
        return networks.suitable(observed(game))
    name, _, options = text.partition(":")
    kind = learners.find_network(name)
    parts = (part.partition("=") for part in options.split(",") if part)
    values = {key: value for key, _, value in parts}
    known = {f.name for f in dataclasses.fields(kind)}
    if not set(values) <= known or not all(v.isdecimal() for v in values.values()):
        raise UserError(f"network {text!r}: options of {name} are {', '.join(sorted(known))}")
    config = kind(**{k: int(v) for k, v in values.items()})
    try:
        config.check(observed(game))
    except ValueError as error:
        raise UserError(str(error)) from None
    return config
