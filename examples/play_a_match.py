"""Plays matches between agents: two by name, and one that is a Python function of JAX arrays."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

import games
import league
from arena.types import Agent, Decision
from games import Game


@dataclass(frozen=True)
class Leftmost:
    """A policy: the legal move with the lowest number, in every one of the positions [B, ...]."""

    game: Game

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        """Moves i32[B]."""
        legal = jax.vmap(self.game.legal)(states)
        return Decision(jnp.argmax(legal, -1).astype(jnp.int32))


def main(pairs: int = 50) -> None:
    """Plays every opening twice, with the seats swapped, and prints scores with intervals."""
    print(league.play_match("mcts:50", "uniform", game="hex:size=4", pairs=pairs))
    game = games.load("connect_four")
    leftmost = Agent("leftmost", Leftmost(game))
    print(league.play_match(leftmost, "uniform", game=game, pairs=pairs, seed=1))


if __name__ == "__main__":
    main()
