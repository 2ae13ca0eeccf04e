"""A judge of a person's own: a Python function of positions."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from arena import extensions
from arena.errors import UserError
from arena.judges.hosted import HostedJudge
from arena.judges.names import JudgeContext
from arena.types import PyTree, State
from games import Game


@dataclass(frozen=True)
class Program(HostedJudge):
    """Verdicts by `FILE.py[:NAME]`, NAME being `judge` by default.

    The function takes positions [B, ...], the game's NamedTuple of arrays, and if it has a second
    parameter what seat 0 observes there, f32[B, ...]. It gives seat 0's payoffs f32[B] in [-1, 1].
    If JAX can trace it, it is compiled; otherwise it is called with numpy arrays.

    Attributes:
      game: what is played.
      name: of the function, as a user types it.
    """

    game: Game
    name: str
    any_position = True

    @classmethod
    def from_text(cls, game: Game, argument: str, context: JudgeContext) -> "Program":
        """`program:FILE.py[:NAME]`."""
        if not argument:
            raise ValueError("program:FILE.py[:NAME]")
        if not game.on_device:
            raise ValueError("a program judges games whose rules are compiled")
        judge = cls(game, argument)
        judge._parameters()
        return judge

    @staticmethod
    def with_files(argument: str, change: Callable[[str], str], other: Callable[[str], str]) -> str:
        """See `Judge`."""
        return extensions.with_file(argument, change)

    @property
    def function(self) -> Callable[..., Any]:
        """The person's function; raises UserError if there is none."""
        found = extensions.load(self.name, "judge")
        if not callable(found):
            raise UserError(f"{self.name} is no function")
        return found

    @property
    def title(self) -> str:
        """See `HostedJudge`."""
        return f"program:{self.name}"

    def identity(self) -> str:
        """SHA-256 of the file, if it is named by one."""
        return extensions.file_digest(self.name)

    def _parameters(self) -> int:
        try:
            count = len(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):  # one that is not written in Python
            return 1
        if count not in (1, 2):
            raise UserError(f"{self.name} takes {count} arguments, not one or two")
        return count

    def prepare(self, states: State) -> PyTree:
        """The arguments of the function."""
        if self._parameters() == 1:
            return (states,)
        return states, jax.vmap(self.game.observe, (0, None))(states, jnp.int32(0))

    def verdicts_where(self, wanted: jax.Array, states: State) -> jax.Array:
        """See `Judge`."""
        if not self._compiles(states):
            return super().verdicts_where(wanted, states)
        found = self.function(*self.prepare(states))
        return jnp.asarray(found, jnp.float32)

    def _compiles(self, states: State) -> bool:
        """Whether JAX can trace it; raises UserError if it gives no f32[B]."""
        arguments = self.prepare(states)
        batch = len(jax.tree.leaves(states)[0])
        try:
            found = jax.eval_shape(lambda x: jnp.asarray(self.function(*x)), arguments)
        except jax.errors.JAXTypeError:
            return False  # it looks at values
        except Exception as error:
            raise UserError(f"the judge raises {extensions.reason(error)}") from None
        _check_shape(found.shape, batch)
        return True

    def judge_on_host(self, given: PyTree) -> np.ndarray:
        """See `HostedJudge`."""
        batch = len(jax.tree.leaves(given)[0])
        found = np.asarray(self.function(*jax.tree.map(np.array, given)), np.float32)
        _check_shape(found.shape, batch)
        if not (np.abs(found) <= 1 + 1e-6).all():
            raise UserError("the judge gave a verdict that is NaN or lies outside [-1, 1]")
        return found


def _check_shape(shape: tuple[int, ...], batch: int) -> None:
    if shape != (batch,):
        raise UserError(f"the judge answers {batch} positions by an array of shape {shape}")
