"""A policy of one's own: a Python function, or an object that predicts as Stable-Baselines do."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np

from arena import extensions
from arena.types import Forfeit, HostAgent, Position
from games import Game


def make(game: Game, argument: str) -> HostAgent:
    """The policy that `FILE.py[:NAME]` holds, NAME being `policy` by default.

    Raises:
      ValueError: there is none, in one line.
    """
    found = extensions.load(argument, "policy")
    predict = getattr(found, "predict", None)
    if callable(predict):
        return UserPolicy(f"policy:{argument}", lambda seen, mask: predict(seen, action_masks=mask))
    if not callable(found):
        raise ValueError(f"{argument} holds {found!r:.50}, neither a function nor able to predict")
    return UserPolicy(f"policy:{argument}", found)


class UserPolicy(HostAgent):
    """Moves by a function.

    Args:
      name: as a user types it.
      function: takes the mover's observation, and i8[A], 1 where a move is legal, both as the
        game's PettingZoo env gives them (`arena.pettingzoo.aec`, if the game is a native one).
        Gives a move: a whole number, an array of one, or a tuple that begins with it (`predict`
        adds the state of a recurrent policy).
    """

    def __init__(self, name: str, function: Callable[[np.ndarray, np.ndarray], Any]):
        self.name, self._function = name, function

    def choose(self, game: Game, position: Position) -> int:
        """Its move; raises Forfeit if it raises, or answers something else."""
        seen, legal = _look(game)(position.state)
        try:
            # Copies: it may write into them.
            answer = self._function(np.array(seen), np.array(legal, np.int8))
        except Exception as error:
            raise Forfeit(f"{self.name} raises {extensions.reason(error)}") from error
        move = _number(answer)
        if move is None:
            raise Forfeit(f"{self.name} answers {answer!r:.50}, not the number of a move")
        return move


def _number(answer: Any) -> int | None:
    """The whole number that this is or begins with, if it does."""
    try:
        array = np.asarray(answer[:1] if isinstance(answer, tuple) else answer)
    except ValueError:  # a list of unlike things
        return None
    return int(array.item()) if array.size == 1 and array.dtype.kind in "iu" else None


@cache
def _look(game: Game) -> Callable[[Any], tuple[Any, Any]]:
    """What the mover observes, and its legal moves."""
    if not game.on_device:
        return lambda state: (state.observation, state.legal)
    return jax.jit(lambda state: (game.observe(state, game.mover(state)), game.legal(state)))
