"""How a network moves by search: the policy of AlphaZero, and of any other learner that searches.

I. Danihelka et al., "Policy improvement by planning with Gumbel", ICLR 2022; D. Silver et al.,
Science 362 (2018).
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.nn import evaluation_cache, networks
from agents.nn.evaluation_cache import EvaluationCache
from agents.search.analysis import TreeSearch
from agents.search.evaluation import CachedEvaluate, evaluate_root
from agents.search.gumbel import PolicyOutput, gumbel
from agents.search.puct import dirichlet, puct, select
from arena import keys as key_names
from arena.judges.rules import Rules
from arena.types import Cache, CachedPolicy, Decision, Judge, Params, State
from games import Game

SearchName = Literal["gumbel", "puct"]
"""The searches that a policy can move by."""

_KEPT = 64
"""Moves of a policy that are kept for training: with thousands of moves a game, all of them would
fill the memory, and hardly a position has more that are worth a probability."""


class SearchTarget(NamedTuple):
    """What a search leaves for training, beside the move.

    Attributes:
      move: i16[B, K], the likeliest moves of the target policy, at most 64.
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
    """A `Policy` by network and search.

    Attributes:
      game: what is played.
      network: size of the network.
      simulations: a move; 0 plays the network's favourite move without search.
      search: gumbel, or AlphaZero's puct, whose target policy is the share of visits.
      max_considered_actions: root moves that gumbel's sequential halving starts from.
      explore: add noise at the root, as in training, and give `SearchTarget`s as aux: Gumbel
        noise; or Dirichlet noise, and moves drawn in proportion to their visits. Otherwise play the
        strongest move every time, without aux.
      judge: who says what ended games are worth; the rules if None. Only an exact one proves
        values.
      quickest: of the wins that are proven, play the quickest, and of the losses the slowest. It
        changes no result.
      min_value_range: see `search.gumbel`. Where all moves are worth about the same, their
        differences are mostly noise, and stretched to full length they would teach certainty.
    """

    game: Game
    network: networks.NetworkConfig
    simulations: int
    _: KW_ONLY
    search: SearchName = "gumbel"
    max_considered_actions: int = 16
    explore: bool = False
    judge: Judge | None = None
    min_value_range: float = 1.0
    quickest: bool = False

    @property
    def evaluations(self) -> int:
        """Positions that the network evaluates for one move, at most."""
        return self.simulations + 1

    @property
    def verdicts(self) -> int:
        """Positions that its judge is asked about for one move, at most."""
        return self.simulations

    def __call__(self, params: Params, keys: jax.Array, states: State) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        evaluations = self.evaluations * jax.tree.leaves(states)[0].shape[0]
        cache = evaluation_cache.init(self.game, params, evaluations=evaluations)
        return self.with_cache(cache, params, keys, states)[0]

    def init_cache(self, params: Params) -> EvaluationCache | None:
        """An empty cache of the networks' evaluations."""
        return evaluation_cache.init(self.game, params)

    def with_cache(
        self, cache: EvaluationCache | None, params: Params, keys: jax.Array, states: State
    ) -> tuple[Decision, EvaluationCache | None]:
        """Chooses moves, and adds what the networks evaluated to the cache."""
        evaluate = CachedEvaluate(partial(self._evaluate, params), cache)
        if self.simulations == 0:
            logits, _, evaluate = evaluate_root(evaluate, keys, states)
            legal = jax.vmap(self.game.legal)(states)
            move = jnp.argmax(jnp.where(legal, logits, -jnp.inf), -1)
            return Decision(move.astype(jnp.int32)), evaluate.cache
        run = self._gumbel if self.search == "gumbel" else self._puct
        found = run(evaluate, keys, states)
        if not self.explore:
            return Decision(found.move), found.cache
        policy, move = jax.lax.top_k(found.policy, min(_KEPT, self.game.num_actions))
        proven = jnp.zeros(len(move), bool) if found.proven is None else found.proven
        target = SearchTarget(move.astype(jnp.int16), policy, found.value, proven)
        return Decision(found.move, target), found.cache

    def _evaluate(
        self,
        params: Params,
        cache: EvaluationCache | None,
        wanted: jax.Array,
        keys: jax.Array,
        states: State,
        *,
        chunk: int | None = None,
    ) -> tuple[jax.Array, jax.Array, EvaluationCache | None]:
        """The networks' logits f32[B, A] and values f32[B]; see `CachedEvaluate`."""
        return evaluation_cache.evaluate(
            self.game, self.network, params, cache=cache, states=states, wanted=wanted, chunk=chunk
        )

    def _evaluate_one(self, *arguments: Any) -> tuple[jax.Array, jax.Array, EvaluationCache | None]:
        """As `_evaluate`, of one position at a time."""
        return self._evaluate(*arguments, chunk=1)

    def tree_search(self) -> TreeSearch:
        """How it analyses a position: by PUCT, whichever search it plays by."""
        return TreeSearch(self.game, self._judge, select, self._evaluate_one, self.init_cache)

    @property
    def _judge(self) -> Judge:
        return self.judge or Rules(self.game)

    def _gumbel(
        self, evaluate: CachedEvaluate[Cache], keys: jax.Array, states: State
    ) -> PolicyOutput[Cache]:
        shape = jax.tree.leaves(states)[0].shape[0], self.game.num_actions
        noise = self._draw(jax.random.gumbel, keys, shape) if self.explore else jnp.zeros(shape)
        return gumbel(
            self.game,
            evaluate,
            states,
            keys=keys,
            simulations=self.simulations,
            noise=noise,
            judge=self._judge,
            max_considered_actions=self.max_considered_actions,
            min_value_range=self.min_value_range,
            prove=self._judge.exact,
            quickest=self.quickest,
        )

    def _puct(
        self, evaluate: CachedEvaluate[Cache], keys: jax.Array, states: State
    ) -> PolicyOutput[Cache]:
        shape = jax.tree.leaves(states)[0].shape[0], self.game.num_actions
        noise = gumbels = jnp.zeros(shape)
        if self.explore:
            noise_keys = jax.vmap(lambda key: key_names.fold(key, "dirichlet"))(keys)
            noise = dirichlet(self.game, noise_keys, states)
            gumbels = self._draw(jax.random.gumbel, keys, shape)
        return puct(
            self.game,
            evaluate,
            states,
            keys=keys,
            simulations=self.simulations,
            noise=noise,
            gumbels=gumbels,
            judge=self._judge,
            noise_share=0.25 if self.explore else 0.0,
            prove=self._judge.exact,
            quickest=self.quickest,
        )

    def _draw(
        self, random: Callable[..., jax.Array], keys: jax.Array, shape: tuple[int, int]
    ) -> jax.Array:
        """Random numbers f32[B, A] under keys [G]."""
        each = shape[0] // keys.shape[0], shape[1]
        return jax.vmap(lambda key: random(key, each))(keys).reshape(shape)
