"""How an env shows a position to people: its own rendering, and its names of moves.

Worker processes run this; it must not load JAX.
"""

import dataclasses
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from arena.pettingzoo.adapter import OVER, EnvAdapter, EnvSpaces
from arena.pettingzoo.env_names import EnvName, creator

_MODES = ("ansi", "rgb_array")


@dataclass(frozen=True)
class Description:
    """A position, for people.

    Attributes:
      text: what the env renders as text, "" if it does not.
      picture: a PNG of what it paints, empty if it does not, or if there is a text.
      labels: names of the legal moves, by number; empty if it has none.
    """

    text: str = ""
    picture: bytes = b""
    labels: dict[int, str] = field(default_factory=dict)


class Describer:
    """Describes the positions of one game after the other.

    What is rendered is a second env, made to be rendered, in which the same game is played again:
    the env of the game itself was made to be quick.

    Args:
      name: of the env.
      spaces: of the env.
      secret: something is hidden from a seat, so that a rendering of all would give it away.
    """

    def __init__(self, name: EnvName, spaces: EnvSpaces, *, secret: bool):
        self._name, self._spaces, self._secret = name, spaces, secret
        self._twin: EnvAdapter | None = None
        self._seed: int | None = None

    def describe(self, game: EnvAdapter, seed: int) -> Description:
        """The position of a game that was begun by a seed; empty where the env cannot show it."""
        labels = {} if game.mover == OVER else _labels(game)
        if self._secret and game.mover != OVER:
            private = getattr(game.env.unwrapped, "view_of", None)
            agent = self._spaces.agents[game.mover]
            return Description(private(agent) if private else "", labels=labels)
        try:
            return dataclasses.replace(_rendered(self._follow(game, seed)), labels=labels)
        except Exception:  # it shows nothing, in one of many ways
            self._twin = None
            return Description(labels=labels)

    def _follow(self, game: EnvAdapter, seed: int) -> EnvAdapter:
        """The second env, in the position of the game."""
        twin = self._twin
        if twin is None:
            twin = EnvAdapter(self._make(game), self._spaces, 10**9)
        begun = twin.moves
        if self._twin is None or self._seed != seed or game.moves[: len(begun)] != begun:
            twin.start(seed)
        for move in game.moves[len(twin.moves) :]:
            twin.step(move)
        if twin.mover != game.mover or not _looks_alike(twin, game):
            raise ValueError("the same seed and moves have brought another game")
        self._twin, self._seed = twin, seed
        return twin

    def _make(self, game: EnvAdapter) -> Any:
        """An env that renders."""
        modes = game.env.unwrapped.metadata.get("render_modes", ())
        mode = next(mode for mode in _MODES if mode in modes)
        options = {"render_mode": mode, **self._name.options}
        return creator(dataclasses.replace(self._name, options=options))()


def _looks_alike(one: EnvAdapter, other: EnvAdapter) -> bool:
    if one.mover == OVER:
        return one.payoff == other.payoff
    return np.array_equal(one.observe_mover()[0], other.observe_mover()[0])


def _rendered(game: EnvAdapter) -> Description:
    found: Any = game.env.render()
    if isinstance(found, io.StringIO):  # as envs of old gym give it
        found = found.getvalue()
    if isinstance(found, str):
        return Description(text=found.rstrip())
    picture = np.asarray(found)
    file = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(file, "PNG")
    return Description(picture=file.getvalue())


def _labels(game: EnvAdapter) -> dict[int, str]:
    """Names of the legal moves, if the env has some, and one for each.

    They are what its `action_to_string(action)` gives, or a list from `get_action_meanings()`.
    """
    first = game.spaces.first_actions[game.mover]
    moves = np.flatnonzero(game.legal()).tolist()
    env: Any = game.env.unwrapped
    env = getattr(env, "gym_env", env)
    try:
        if hasattr(env, "action_to_string"):
            names = [env.action_to_string(first + move) for move in moves]
        else:
            meanings = env.get_action_meanings()
            names = [meanings[move] for move in moves]
    except Exception:
        return {}
    texts = [" ".join(str(name).split()) for name in names]
    return dict(zip(moves, texts, strict=True)) if len({*texts} - {""}) == len(moves) else {}
