"""The agent that plays any legal move, all equally likely: the floor of every rating."""

from dataclasses import dataclass

import jax

from arena.sampling import uniform_move
from arena.types import Agent, Decision, Params, State
from games import Game


@dataclass(frozen=True)
class Uniform:
    """A `Policy` without weights."""

    game: Game

    def __call__(self, params: Params, keys: jax.Array, states: State) -> Decision:
        """Uniform over the legal moves."""
        legal = jax.vmap(self.game.legal)(states)
        groups = legal.reshape(keys.shape[0], -1, self.game.num_actions)
        return Decision(jax.vmap(uniform_move)(keys, groups).reshape(-1))


def make(game: Game, argument: str) -> Agent:
    """The agent `uniform`; raises ValueError if an argument is given."""
    if argument:
        raise ValueError(f"uniform takes no argument, not {argument!r}")
    return Agent("uniform", Uniform(game))
