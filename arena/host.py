"""Games one move at a time, for players outside the device: people, and device agents they meet."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from arena.core import Agent, HostAgent, Rules, settle, stack
from games import OVER, Game


class Host(HostAgent):
    """A device agent, asked about one position at a time."""

    def __init__(self, agent: Agent, key: jax.Array):
        self.name = agent.name
        self._act, self._params = jax.jit(agent.act), stack([agent.params])
        self._key, self._asked = key, 0

    def choose(self, game: Game, state: Any) -> int:
        """The agent's move."""
        self._asked += 1
        key = jax.random.fold_in(self._key, self._asked)
        states = jax.tree.map(lambda x: jnp.asarray(x)[None], state)
        return int(self._act(self._params, key[None], states).move[0])


def play(
    game: Game,
    seats: tuple[HostAgent, HostAgent],
    key: jax.Array,
    watch: Callable[[Any, int], None] = lambda state, move: None,
) -> tuple[Any, float]:
    """Plays one game from its start.

    Args:
      game: what is played.
      seats: who sits in seat 0 and in seat 1.
      key: PRNG key, of what is left to chance.
      watch: hears of every move of a seat, with the position before it.

    Returns:
      the final position, and what the rules give seat 0.
    """
    step, mover = jax.jit(game.step), jax.jit(game.mover)
    draw = jax.jit(partial(settle, game))
    state, made = draw(key, game.init()), 0
    while (seat := int(mover(state))) != OVER:
        move = seats[seat].choose(game, state)
        watch(state, move)
        made += 1
        state = draw(jax.random.fold_in(key, made), step(state, jnp.int32(move)))
    final = jax.tree.map(lambda x: x[None], state)
    return state, float(Rules(game).score(final)[0])
