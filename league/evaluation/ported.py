"""Snapshots of an env in its native port: what `arena verify` compares must agree."""

from dataclasses import dataclass
from functools import cache

import jax

from arena.errors import UserError
from arena.judges.rules import Rules
from arena.pettingzoo.as_game import ImportedGame
from arena.pettingzoo.compare import Port
from arena.pettingzoo.spec import EnvSpec
from arena.types import Policy, State
from games import Game
from league.store.run import Run

_GAMES = 50
"""Random games of both that are compared before snapshots meet."""


@dataclass(frozen=True)
class SeenAsEnv(Game):
    """A native game whose positions networks see as they see those of an env.

    Attributes:
      native: the game.
      spec: of the env, what its seats observe being what those of the native game do.
    """

    native: Game
    spec: EnvSpec

    def __post_init__(self):
        for name in (
            "num_actions", "num_outcomes", "max_plies", "typical_plies", "max_payoff",
            "perfect_information", "facts",
        ):  # fmt: skip
            object.__setattr__(self, name, getattr(self.native, name))

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """What an env's network gets for a seat; see `arena.pettingzoo.as_game`."""
        raw = self.native.observe(state, seat).astype(self.spec.dtype)
        return ImportedGame("", self.spec).planes(raw, seat)

    def init(self) -> State:
        """As the native game."""
        return self.native.init()

    def mover(self, state: State) -> jax.Array:
        """As the native game."""
        return self.native.mover(state)

    def legal(self, state: State) -> jax.Array:
        """As the native game."""
        return self.native.legal(state)

    def step(self, state: State, move: jax.Array) -> State:
        """As the native game."""
        return self.native.step(state, move)

    def payoff(self, state: State) -> jax.Array:
        """As the native game."""
        return self.native.payoff(state)

    def chance(self, state: State) -> jax.Array:
        """As the native game."""
        return self.native.chance(state)

    def show(self, state: State) -> str:
        """As the native game."""
        return self.native.show(state)

    def draw(self, state: State) -> str:
        """As the native game."""
        return self.native.draw(state)

    def label(self, state: State, move: int) -> str:
        """As the native game."""
        return self.native.label(state, move)

    def parse(self, state: State, text: str) -> int:
        """As the native game."""
        return self.native.parse(state, text)


def policy(where: Run, native: Game, simulations: int) -> Policy:
    """How the snapshots of an env's run play in its native port.

    Args:
      where: the run.
      native: the port.
      simulations: a move.

    Raises:
      UserError: random games of the two differ, or networks see several observations at once; in
        one line.
    """
    env = where.game
    assert isinstance(env, ImportedGame)
    if env.spec.window > 1:
        raise UserError(f"networks of {env.name} see {env.spec.window} observations at once")
    check(env.name, native)
    seen = SeenAsEnv(native, env.spec)
    return where.config.learner.make(seen, Rules(seen)).eval_policy(simulations)


@cache
def check(env: str, native: Game) -> None:
    """Raises UserError unless random games of an env and of a native game agree in all."""
    port = Port(native, env)
    try:
        found = port.verify(_GAMES, 0)
    except ValueError as error:
        raise UserError(str(error)) from None
    why = found.observations_skipped or ("a game of theirs differs" if found.differing else "")
    if not why and port.first_seat != int(native.mover(native.init())):
        why = "another seat begins"
    if why:
        raise UserError(f"{env} and {type(native).__name__} are not the same game: {why}")
