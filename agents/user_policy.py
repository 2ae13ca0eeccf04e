"""A policy of one's own: a Python function, or an object that predicts as Stable-Baselines do."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, cast

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
    if callable(getattr(found, "predict", None)):
        return UserPolicy(f"policy:{argument}", _predictor(found))
    if not callable(found):
        line = f"{argument} holds {_shown(found)}, neither a function nor able to predict"
        raise ValueError(line)
    return UserPolicy(f"policy:{argument}", found)


def _predictor(model: Any) -> Callable[[np.ndarray, np.ndarray], Any]:
    """A function by a model that predicts.

    It gets the mask if its `predict` has a parameter `action_masks`, as sb3-contrib's MaskablePPO
    has. A fitted estimator of scikit-learn gets a table of one row, the observation laid flat.
    """
    if hasattr(model, "n_features_in_"):
        return lambda seen, mask: model.predict(seen.reshape(1, -1))
    if _takes_masks(model.predict):
        return lambda seen, mask: model.predict(seen, action_masks=mask)
    return lambda seen, mask: model.predict(seen)


def _takes_masks(predict: Callable[..., Any]) -> bool:
    try:
        return "action_masks" in inspect.signature(predict).parameters
    except (TypeError, ValueError):  # one that is not written in Python
        return False


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
        except (Exception, SystemExit) as error:
            raise Forfeit(f"{self.name} raises {extensions.reason(error)}") from error
        move = _number(answer)
        if move is None:
            raise Forfeit(f"{self.name} answers {_shown(answer)}, not the number of a move")
        return move


def _number(answer: Any) -> int | None:
    """The whole number that this is or begins with, if it does."""
    try:
        array = np.asarray(answer[:1] if isinstance(answer, tuple) else answer)
    except Exception:  # a list of unlike things, a tensor that has gradients
        return None
    return int(array.item()) if array.size == 1 and array.dtype.kind in "iu" else None


def _shown(value: Any) -> str:
    """Somebody else's object as a part of a line."""
    try:
        return f"{' '.join(repr(value).split()):.50}"
    except Exception:
        return f"a {type(value).__name__}"


@cache
def _look(game: Game) -> Callable[[Any], tuple[Any, Any]]:
    """What the mover observes, and its legal moves."""
    if not game.on_device:
        from arena.pettingzoo.as_game import ImportedGame  # which has been loaded, with the game

        imported = cast(ImportedGame, game)
        return lambda state: (imported.as_given(state), state.legal)
    return jax.jit(lambda state: (game.observe(state, game.mover(state)), game.legal(state)))
