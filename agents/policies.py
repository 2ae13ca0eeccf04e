"""How a network moves by search: the policy of AlphaZero, and of any other learner that searches.

I. Danihelka et al., "Policy improvement by planning with Gumbel", ICLR 2022.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents import search
from agents.nn import evaluation_cache, networks
from arena.judges.rules import Rules
from arena.types import CachedPolicy, Decision, Judge
from games import Game

_KEPT = 64
"""Moves of a policy that are kept for training: with thousands of moves a game, all of them would
fill the memory, and hardly a position has more that are worth a probability."""


class SearchTarget(NamedTuple):
    """What it notes of a move in training.

    Attributes:
      move: i16[B, K], the likeliest moves of the improved policy, at most 64.
      policy: f32[B, K], their probabilities there.
      value: f32[B], what the search expected for the mover.
      proven: bool[B], whether that is certain.
    """

    move: jax.Array | np.ndarray
    policy: jax.Array | np.ndarray
    value: jax.Array | np.ndarray
    proven: jax.Array | np.ndarray


@dataclass(frozen=True)
class SearchPolicy(CachedPolicy):
    """A `Policy` by network and Gumbel search.

    Attributes:
      game: what is played.
      network: size of the network.
      simulations: a move; 0 plays the network's favourite move without search.
      max_considered_actions: root moves that sequential halving starts from.
      explore: draw Gumbel noise, as in training, and give `SearchTarget`s as aux; otherwise
        play the strongest move every time, without aux.
      judge: who says what ended games are worth; the rules if None.
      min_value_range: see `search.gumbel`. Where all moves are worth about the same, their
        differences are mostly noise, and stretched to full length they would teach certainty.
    """

    game: Game
    network: networks.NetworkConfig
    simulations: int
    max_considered_actions: int = 16
    explore: bool = False
    judge: Judge | None = None
    min_value_range: float = 1.0

    @property
    def evaluations(self) -> int:
        """Positions that the network is asked about for one move."""
        return self.simulations + 1

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        asked = self.evaluations * jax.tree.leaves(states)[0].shape[0]
        cache = evaluation_cache.blank(self.game, params, asked)
        return self.with_cache(cache, params, keys, states)[0]

    def init_cache(self, params: Any) -> Any:
        """No answers of the networks yet, and room for many."""
        return evaluation_cache.blank(self.game, params)

    def with_cache(
        self, cache: Any, params: Any, keys: jax.Array, states: Any
    ) -> tuple[Decision, Any]:
        """Chooses moves, and remembers what the networks say."""
        recall = search.Recall(partial(self._evaluate, params), cache)
        if self.simulations == 0:
            logits, _, recall = search.begin(recall, keys, states)
            legal = jax.vmap(self.game.legal)(states)
            move = jnp.argmax(jnp.where(legal, logits, -jnp.inf), -1)
            return Decision(move.astype(jnp.int32)), recall.memory
        batch = jax.tree.leaves(states)[0].shape[0]
        noise = jnp.zeros((batch, self.game.num_actions))
        if self.explore:
            shape = batch // keys.shape[0], self.game.num_actions
            draw = jax.vmap(lambda key: jax.random.gumbel(key, shape))
            noise = draw(keys).reshape(noise.shape)
        improved = search.gumbel(
            self.game,
            self.judge or Rules(self.game),
            recall,
            states,
            keys,
            self.simulations,
            noise,
            self.max_considered_actions,
            self.min_value_range,
            prove=True,
        )
        if not self.explore:
            return Decision(improved.move), improved.memory
        policy, move = jax.lax.top_k(improved.policy, min(_KEPT, self.game.num_actions))
        proven = jnp.zeros(batch, bool) if improved.proven is None else improved.proven
        search_target = SearchTarget(move.astype(jnp.int16), policy, improved.value, proven)
        return Decision(improved.move, search_target), improved.memory

    def _evaluate(
        self, params: Any, known: Any, wanted: jax.Array, keys: jax.Array, states: Any
    ) -> tuple[jax.Array, jax.Array, Any]:
        return evaluation_cache.recall(self.game, self.network, params, known, states, wanted)
