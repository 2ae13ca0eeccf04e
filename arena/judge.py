"""How often an agent's moves keep what the game is worth, going by exact values."""

from importlib import resources
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import Game
from games.connect_four import ConnectFour

_RANK = {".": -2, "-": -1, "=": 0, "+": 1}


class Exam(NamedTuple):
    """N positions in which a seat is to move, with the right answers.

    Attributes:
      states: pytree of numpy arrays [N, ...].
      legal: bool[N, A].
      keeps: bool[N, A], the legal moves after which the mover still gets what it could get before.
    """

    states: Any
    legal: np.ndarray
    keeps: np.ndarray

    @property
    def matters(self) -> np.ndarray:
        """Where there is a wrong move to make, bool[N]."""
        return (self.legal & ~self.keeps).any(1)


def read(text: str) -> tuple[list[list[int]], np.ndarray]:
    """Labelled positions as `benchmarks/label.py` writes them, one a line.

    Returns:
      the moves that lead to each, and i8[N, A]: what each move gives the mover, -2 if illegal.
    """
    moves, values = [], []
    for line in text.splitlines():
        *made, told = line.split()
        moves.append([int(digit) - 1 for digit in "".join(made)])
        values.append([_RANK[character] for character in told])
    return moves, np.array(values, np.int8)


def replay(game: Game, moves: list[list[int]]) -> Any:
    """The positions [N, ...] after sequences of legal moves from the start."""
    table = np.full((max(map(len, moves), default=0), len(moves)), -1, np.int32)
    for i, made in enumerate(moves):
        table[: len(made), i] = made

    def ply(states: Any, column: jax.Array) -> tuple[Any, None]:
        after = jax.vmap(game.step)(states, jnp.maximum(column, 0))

        def choose(new, old):
            return jnp.where((column >= 0).reshape(-1, *(1,) * (new.ndim - 1)), new, old)

        return jax.tree.map(choose, after, states), None

    start = jax.tree.map(lambda x: jnp.repeat(x[None], len(moves), 0), game.init())
    return jax.tree.map(np.asarray, jax.lax.scan(ply, start, table)[0])


def connect_four() -> Exam:
    """10,000 positions of Connect Four, as many of each number of stones up to 35.

    `benchmarks/label.py` says how they were drawn, and which solver gave the answers.
    """
    text = (resources.files("arena") / "positions" / "connect_four.txt").read_text()
    moves, values = read(text)
    best = values.max(1, keepdims=True)
    return Exam(replay(ConnectFour(), moves), values > -2, values == best)
