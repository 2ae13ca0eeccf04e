"""Monte-Carlo tree search with random rollouts: a measure that needs no learning."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from agents.search.analysis import TreeSearch
from agents.search.evaluation import check_searchable
from agents.search.uct import UpperConfidenceBound, uct
from arena.chance import resolve_chance
from arena.errors import SIMULATIONS, whole_number
from arena.judges.rules import Rules
from arena.sampling import uniform_move
from arena.types import Agent, Cache, Decision, Judge, Params, State, as_host_game
from games import OVER, Game


@dataclass(frozen=True)
class MCTS:
    """A `Policy` without weights: UCT, a random game to the end at every new node.

    Attributes:
      game: what is played.
      rollouts: random games per move.
      exploration: weight of the confidence bound for payoffs in [-1, 1].
      judge: who says what ended games are worth; the rules if None.
    """

    game: Game
    rollouts: int
    _: KW_ONLY
    exploration: float = 2.0
    judge: Judge | None = None

    @property
    def _judge(self) -> Judge:
        return self.judge or Rules(self.game)

    def __call__(self, params: Params, keys: jax.Array, states: State) -> Decision:
        """The most visited move."""
        draw = jax.vmap(lambda key, like: jax.random.uniform(key, like.shape))
        legal = jax.vmap(self.game.legal)(states)
        order = draw(keys, legal.reshape(keys.shape[0], -1, legal.shape[-1])).reshape(legal.shape)
        move = uct(
            self.game,
            self._evaluate,
            states,
            keys=keys,
            simulations=self.rollouts,
            exploration=self.exploration,
            order=order,
            judge=self._judge,
        )
        return Decision(move)

    def tree_search(self) -> TreeSearch:
        """How it analyses a position: by UCT, all moves having the same prior."""
        rule = UpperConfidenceBound(self.exploration)
        return TreeSearch(self.game, self._judge, rule, self._evaluate_uncached, _no_cache)

    def _evaluate_uncached(
        self, params: Params, cache: Cache, wanted: jax.Array, keys: jax.Array, states: State
    ) -> tuple[jax.Array, jax.Array, Any]:
        """See `CachedEvaluate`; there are no weights, and no cache."""
        return *self._evaluate(keys, states), cache

    def _evaluate(self, keys: jax.Array, states: State) -> tuple[jax.Array, jax.Array]:
        """The same logits for all moves, and the outcome of one random game."""
        ends = rollout(self.game, keys, states)
        first = jax.vmap(self.game.mover)(states) == 0
        payoff = self._judge.verdict(ends)
        none = jnp.zeros((first.shape[0], self.game.num_actions))
        return none, jnp.where(first, payoff, -payoff)


def _no_cache(params: Params) -> tuple[()]:
    return ()


def rollout(game: Game, keys: jax.Array, states: State) -> State:
    """Plays positions [B, ...] to their ends with uniformly random moves, under keys [G]."""
    if outside := as_host_game(game):
        return _each(outside.playout, keys, states)
    alive = jax.vmap(game.mover)(states) != OVER

    def body(carry):
        ply, states, alive = carry
        legal = jax.vmap(game.legal)(states).reshape(keys.shape[0], -1, game.num_actions)
        here = jax.vmap(lambda key: jax.random.fold_in(key, ply))(keys)
        move = jax.vmap(uniform_move)(here, legal).reshape(-1)
        after = _resolve_chance(game, here, jax.vmap(game.step)(states, move))

        def choose(new, old):
            return jnp.where(alive.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

        states = jax.tree.map(choose, after, states)
        return ply + 1, states, jax.vmap(game.mover)(states) != OVER

    # Bounded: a match also steps ended games, and what lies beyond the end may go on for ever.
    def going(carry):
        return carry[2].any() & (carry[0] < game.max_plies)

    return jax.lax.while_loop(going, body, (jnp.int32(0), states, alive))[1]


def _resolve_chance(game: Game, keys: jax.Array, states: State) -> State:
    """Lets chance make its moves in positions [B, ...] under keys [G]."""
    if not game.num_outcomes:
        return states
    return _each(partial(resolve_chance, game), keys, states)


def _each(call: Callable[[jax.Array, Any], Any], keys: jax.Array, states: State) -> State:
    """Calls for each of the positions [B, ...] with a key of its own, drawn from keys [G]."""
    batch = jax.tree.leaves(states)[0].shape[0]
    words = jax.vmap(lambda key: jax.random.bits(key, (batch // len(keys),)))(keys)
    each = jax.vmap(jax.random.key)(words.reshape(-1))
    return jax.vmap(call)(each, states)


def make(game: Game, argument: str) -> Agent:
    """The agent `mcts:ROLLOUTS`.

    Raises:
      ValueError: that is not a positive number, or the game cannot be searched.
    """
    check_searchable(game)
    rollouts = whole_number(argument, 1, SIMULATIONS)
    if rollouts is None:
        raise ValueError(
            f"mcts takes a number of rollouts up to {SIMULATIONS:,}, as in mcts:100, "
            f"not {argument!r:.50}"
        )
    return Agent(f"mcts:{rollouts}", MCTS(game, rollouts))
