"""Positions with their exact values: which moves are optimal.

Values are computed where the whole game can be enumerated. For Connect Four they come from BitBully
(github.com/MarkusThill/BitBully): those of 10,000 fixed positions lie in a file, those of any other
position take the program itself.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module, resources
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation import solver
from arena.evaluation.enumeration import raw
from arena.evaluation.exploitability import enumerable
from arena.judges.rules import Rules
from arena.types import Judge, State
from games import Game
from games.connect_four import ConnectFour

_RANK = {".": -2, "-": -1, "=": 0, "+": 1}
_LIMIT = 200_000  # positions of a game that is enumerated


class SolverMissing(ValueError):
    """The program that solves a game is not installed."""


class SolvedPositions(NamedTuple):
    """N positions in which a seat is to move, with the optimal moves.

    Attributes:
      states: pytree of numpy arrays [N, ...].
      legal: bool[N, A].
      optimal: bool[N, A], the legal moves after which the mover still gets what it could get.
      group: i64[N], equal for positions that are not independent of each other; None if these are
        all the positions there are.
    """

    states: State
    legal: np.ndarray
    optimal: np.ndarray
    group: np.ndarray | None

    @property
    def has_mistake(self) -> np.ndarray:
        """Where some legal move is not optimal, bool[N]."""
        return np.any(self.legal & ~self.optimal, axis=1)


def fixed(game: Game, *, judge: Judge | None = None) -> SolvedPositions:
    """The same positions for every agent: of a small game all there are, of Connect Four 10,000.

    Args:
      game: of perfect information and without chance.
      judge: who says who won; the rules if None.

    Raises:
      ValueError: no exact values are known.
    """
    if game == ConnectFour():
        _check_rules(game, judge)
        return connect_four()
    solution = _solved(game, judge)
    legal = np.asarray(jax.jit(jax.vmap(game.legal))(solution.states))
    return SolvedPositions(solution.states, legal, solution.optimal, None)


def answers(game: Game, *, judge: Judge | None = None) -> Callable[[State], SolvedPositions]:
    """A function that solves positions [N, ...] of a game, each a group of its own.

    Args:
      game: of perfect information and without chance.
      judge: who says who won; the rules if None.

    Raises:
      SolverMissing: the program that solves the game is not installed.
      ValueError: no exact values are known.
    """
    if game == ConnectFour():
        _check_rules(game, judge)
        return partial(_by_bitbully, bitbully())
    return partial(_look_up, game, _solved(game, judge))


def _check_rules(game: Game, judge: Judge | None) -> None:
    if judge is not None and judge != Rules(game):
        raise ValueError("exact values of connect_four are known under its rules alone")


def _solved(game: Game, judge: Judge | None) -> solver.Solution:
    exact = game.perfect_information and not game.num_outcomes
    if not exact or not enumerable(game, _LIMIT):
        raise ValueError(
            "no exact values are known for this game; they are for connect_four, and for games of "
            "perfect information as small as tic_tac_toe, nim and hex:size=3"
        )
    return solver.solve(game, judge=judge)


def _look_up(game: Game, solution: solver.Solution, states: State) -> SolvedPositions:
    known, row = np.unique(raw(solution.states), return_index=True)
    at = row[np.searchsorted(known, raw(states))]
    legal = np.asarray(jax.jit(jax.vmap(game.legal))(states))
    return SolvedPositions(states, legal, solution.optimal[at], np.arange(len(at)))


def bitbully() -> Any:
    """The solver of Connect Four, with its book of openings; raises SolverMissing."""
    try:
        core = import_module("bitbully.bitbully_core")
        book = import_module("bitbully_databases").BitBullyDatabases.get_database_path("default")
    except ImportError:
        raise SolverMissing(
            "a solver is missing: pip install bitbully bitbully-databases"
        ) from None
    return core.BitBullyCore(book)


def _by_bitbully(oracle: Any, states: State) -> SolvedPositions:
    board = import_module("bitbully.bitbully_core").BoardCore
    game = ConnectFour()
    planes = jax.jit(jax.vmap(game.observe, (0, None)))(states, jnp.int32(0))
    stones = np.asarray(planes).astype(int) @ [1, 2]
    values = []
    for rows in stones.tolist():
        position = board()
        position.setBoard(rows)
        values.append(worth(oracle, position))
    return _from_values(states, np.array(values))


def worth(oracle: Any, board: Any) -> list[int]:
    """What each column gives the mover of a board of BitBully's: 1, 0, -1, or -2 if it is full."""
    scores = enumerate(oracle.scoreMoves(board))
    return [(s > 0) - (s < 0) if board.isLegalMove(column) else -2 for column, s in scores]


def _from_values(states: State, values: np.ndarray) -> SolvedPositions:
    """From what each move gives the mover, int[N, A], -2 for illegal ones."""
    best = values.max(1, keepdims=True)
    return SolvedPositions(states, values > -2, values == best, np.arange(len(values)))


def read(text: str) -> tuple[list[list[int]], np.ndarray]:
    """Labelled positions as `benchmarks/label.py` writes them, one a line.

    Returns:
      the moves that lead to each, and i8[N, A]: what each move gives the mover, -2 if illegal.
    """
    moves, values = [], []
    for line in text.splitlines():
        *made, labels = line.split()
        moves.append([int(digit) - 1 for digit in "".join(made)])
        values.append([_RANK[character] for character in labels])
    return moves, np.array(values, np.int8)


def replay(game: Game, moves: list[list[int]]) -> State:
    """The positions [N, ...] after sequences of legal moves from the start."""
    table = np.full((max(map(len, moves), default=0), len(moves)), -1, np.int32)
    for i, made in enumerate(moves):
        table[: len(made), i] = made

    def ply(states: State, column: jax.Array) -> tuple[State, None]:
        after = jax.vmap(game.step)(states, jnp.maximum(column, 0))

        def choose(new, old):
            return jnp.where((column >= 0).reshape(-1, *(1,) * (new.ndim - 1)), new, old)

        return jax.tree.map(choose, after, states), None

    start = jax.tree.map(lambda x: jnp.repeat(x[None], len(moves), 0), game.init())
    return jax.tree.map(np.asarray, jax.lax.scan(ply, start, jnp.asarray(table))[0])


def connect_four() -> SolvedPositions:
    """10,000 positions of Connect Four, as many of each number of stones up to 35.

    `benchmarks/label.py` says how they were drawn.
    """
    text = (resources.files("arena") / "positions" / "connect_four.txt").read_text()
    moves, values = read(text)
    return _from_values(replay(ConnectFour(), moves), values)
