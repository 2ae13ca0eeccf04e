"""Games from outside the repository: a class of one's own that keeps the contract of `games.core`.

A name is `FILE.py:CLASS`, `MODULE:CLASS`, or an entry point of the group `arena.games`; options
follow as in other names, `./sticks.py:Sticks,sticks=15` or `sticks:sticks=15`.
"""

import sys
import traceback
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import games
from arena import extensions
from arena.chance import resolve_chance
from arena.errors import UserError
from games import Game

GROUP = "arena.games"


def is_one(name: str) -> bool:
    """Whether a name means a game from outside; one of `games/` comes first."""
    head = name.partition(":")[0]
    return head not in games.names() and (_is_spec(name) or _is_entry_point(head))


def _is_spec(name: str) -> bool:
    """Whether a name is FILE.py:CLASS or MODULE:CLASS, options or not."""
    place, title = extensions.split(name.partition(",")[0])
    return place.endswith(".py") or title.isidentifier()


def _is_entry_point(name: str) -> bool:
    return name in metadata.entry_points(group=GROUP).names


@cache
def load(name: str) -> Game:
    """The game that a name means; the same object each time.

    Raises:
      UserError: there is none, or it breaks the contract; the line names the file and line of it.
    """
    title, _, options = name.partition("," if _is_spec(name) else ":")
    kind = extensions.load(title) if _is_spec(name) else extensions.find("game", title, {})
    if not (isinstance(kind, type) and issubclass(kind, Game)):
        raise UserError(f"{title} is no subclass of games.Game")
    try:
        game = games.make(kind, title, options)
    except ValueError as error:  # an option, in one line already
        raise UserError(str(error)) from None
    except Exception as error:
        raise UserError(f"{title} cannot be made: {_reason(error, kind)}") from None
    _check(game, title)
    return game


def _check(game: Game, title: str) -> None:
    """Traces every function of the rules once; whether they are right is for tests.

    Raises:
      UserError: shapes or types are not those of the contract.
    """
    for field, kind in {"num_actions": int, "max_plies": int, "max_payoff": (int, float)}.items():
        value: Any = getattr(game, field, None)
        if not isinstance(value, kind) or isinstance(value, bool) or value <= 0:
            raise UserError(f"{title}: {field} must be a positive number, not {value!r}")
    try:
        hash(game)
    except TypeError:
        raise UserError(f"{title} must be a frozen dataclass, so that it has a hash") from None
    tracer = _Tracer(game, title)
    state = tracer.shapes("init", game.init)
    one = jax.ShapeDtypeStruct((), np.dtype(np.int32))
    after = tracer.shapes("step", game.step, state, one)
    if jax.tree.structure(after) != jax.tree.structure(state) or _kinds(after) != _kinds(state):
        raise UserError(f"{title}: step gives {_listed(after)}, but init {_listed(state)}")
    tracer.expect("mover", (), "int32", game.mover, state)
    tracer.expect("legal", (game.num_actions,), "bool", game.legal, state)
    tracer.expect("payoff", (), "float32", game.payoff, state)
    tracer.expect("observe", None, "float32", game.observe, state, one)
    tracer.images(state, one)
    if game.num_outcomes:
        tracer.expect("chance", (game.num_outcomes,), "float32", game.chance, state)
    with jax.ensure_compile_time_eval():  # a run may load its game while something is traced
        start = resolve_chance(game, jax.random.key(0), game.init())
        if int(game.mover(start)) == games.OVER:
            raise UserError(f"{title}: the game is over before the first move")
        first = int(np.argmax(game.legal(start)))
        tracer.text("show", lambda: game.show(start))
        tracer.text("label", lambda: game.label(start, first))


class _Tracer:
    """Calls a game's functions; what they raise becomes one line."""

    def __init__(self, game: Game, title: str):
        self._game, self._kind, self._title = game, type(game), title

    def shapes(self, name: str, function: Callable, *arguments: object):
        """Shapes and types of what a function gives."""
        try:
            return jax.eval_shape(function, *arguments)
        except Exception as error:
            raise self._raised(name, error) from None

    def expect(
        self, name: str, shape: tuple[int, ...] | None, dtype: str, function: Callable, *arguments
    ) -> None:
        """Raises UserError unless a function gives an array of this shape, if any, and type."""
        found = self.shapes(name, function, *arguments)
        leaves = jax.tree.leaves(found)
        single = len(leaves) == 1 and leaves[0] is found
        if not single or found.dtype != dtype or (shape is not None and found.shape != shape):
            size = "[...]" if shape is None else str(list(shape))
            raise UserError(f"{self._title}: {name} gives {_listed(found)}, not {dtype}{size}")

    def images(self, state: object, seat: jax.ShapeDtypeStruct) -> None:
        """Raises UserError unless symmetries are of observations and policies."""
        seen = self.shapes("observe", self._game.observe, state, seat)
        policy = jax.ShapeDtypeStruct((self._game.num_actions,), np.dtype(np.float32))
        found = self.shapes("symmetries", self._game.symmetries, seen, policy)
        expected = _kinds((seen, policy))
        if [(shape[1:], dtype) for shape, dtype in _kinds(found)] != expected:
            raise UserError(
                f"{self._title}: symmetries gives {_listed(found)}, not S times "
                f"{_listed((seen, policy))}"
            )

    def text(self, name: str, function: Callable[[], str]) -> None:
        """Raises UserError unless a function gives text."""
        try:
            found = function()
        except Exception as error:
            raise self._raised(name, error) from None
        if not isinstance(found, str):
            raise UserError(f"{self._title}: {name} gives {found!r:.50}, not text")

    def _raised(self, name: str, error: Exception) -> UserError:
        return UserError(f"{self._title}: {name} raises {_reason(error, self._kind)}")


def _kinds(tree: object) -> list[tuple[tuple[int, ...], str]]:
    """Shape and type of each array in a pytree."""
    return [(jnp.shape(leaf), str(jnp.result_type(leaf))) for leaf in jax.tree.leaves(tree)]


def _listed(tree: object) -> str:
    return ", ".join(f"{dtype}{list(shape)}" for shape, dtype in _kinds(tree)) or "nothing"


def _reason(error: Exception, kind: type) -> str:
    """What was raised, in its first sentence, and where in the file of the class."""
    file = Path(sys.modules[kind.__module__].__file__ or "").name
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).name == file]
    text = " ".join(str(error).split("\n")[0].split())[:200]
    place = f" ({file}, line {frames[-1].lineno})" if frames else ""
    return type(error).__name__ + (f": {text}" if text else "") + place
