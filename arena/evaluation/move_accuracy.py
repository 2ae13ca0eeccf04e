"""How often an agent's moves keep what the game is worth, going by exact values.

What the values are is computed where the whole game can be enumerated. For Connect Four BitBully
says it (github.com/MarkusThill/BitBully), of 10,000 positions in advance.
"""

from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module, resources
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from arena.evaluation import solver
from arena.evaluation.enumeration import raw
from arena.evaluation.exploitability import enumerable
from arena.judges.rules import Rules
from arena.play import device_loop
from arena.play.openings import random_openings
from arena.types import Agent, Policy, stack
from games import Game
from games.connect_four import ConnectFour

_RANK = {".": -2, "-": -1, "=": 0, "+": 1}
_LIMIT = 200_000  # positions of a game that is enumerated
_BATCH = 1024  # positions that one device is asked about in one call


class Missing(ValueError):
    """A program that knows the answers is not installed."""


class Exam(NamedTuple):
    """N positions in which a seat is to move, with the right answers.

    Attributes:
      states: pytree of numpy arrays [N, ...].
      legal: bool[N, A].
      keeps: bool[N, A], the legal moves after which the mover still gets what it could get before.
      group: i64[N], equal for positions that are not independent of each other; None if these are
        all the positions there are.
    """

    states: Any
    legal: np.ndarray
    keeps: np.ndarray
    group: np.ndarray | None

    @property
    def matters(self) -> np.ndarray:
        """Where there is a wrong move to make, bool[N]."""
        return np.any(self.legal & ~self.keeps, axis=1)


@dataclass(frozen=True)
class Share:
    """How many of some positions' moves keep the value.

    Attributes:
      positions: how many there are.
      kept: in how many of them the move keeps the value.
      share: kept / positions.
      half_width: of the 95 % interval of the share; 0 if there are no other positions.
    """

    positions: int
    kept: int
    share: float
    half_width: float


@dataclass(frozen=True)
class Marks:
    """What an agent got in an exam.

    Attributes:
      every: of all positions.
      matters: of those in which there was a wrong move to make.
    """

    every: Share
    matters: Share


def fixed(game: Game) -> Exam:
    """The positions that every agent is asked about: of a small game all there are.

    Raises:
      ValueError: nobody knows the answers.
    """
    if game == ConnectFour():
        return connect_four()
    solution = _solved(game)
    legal = np.asarray(jax.jit(jax.vmap(game.legal))(solution.states))
    return Exam(solution.states, legal, solution.keeps, None)


def played(game: Game, agent: Agent, key: jax.Array, pairs: int, plies: int) -> Exam:
    """The positions in which the agent moves when it plays itself, from random openings.

    Args:
      game: what it plays.
      agent: who.
      key: PRNG key.
      pairs: pairs of games.
      plies: openings are up to so many random moves long.

    Raises:
      Missing: the program that knows the answers is not installed.
      ValueError: nobody knows the answers.
    """
    answer = answers(game)
    openings = random_openings(game, jax.random.fold_in(key, 0), shape=(1, pairs), plies=plies)
    table = device_loop.Match(
        game, agent.policy, agent.policy, judge=Rules(game), slots=min(pairs, 64), record=True
    )
    weights = stack([agent.params])
    record = table.play(
        weights, weights, keys=jax.random.fold_in(key, 1)[None], openings=openings
    ).record
    assert record is not None
    number = np.asarray(record.game)
    chosen = number < 2 * pairs
    states = jax.tree.map(lambda x: np.asarray(x)[chosen], record.state)
    # The same position may come up in many games.
    _, first, which = np.unique(raw(states), return_index=True, return_inverse=True)
    found = answer(jax.tree.map(lambda x: x[first], states))
    return Exam(states, found.legal[which], found.keeps[which], number[chosen] % pairs)


def marks(agent: Agent, exam: Exam, key: jax.Array) -> Marks:
    """Asks an agent about all positions of an exam."""
    right = kept(agent, exam, key)
    everywhere = np.ones(len(right), bool)
    every, matters = (_share(right, part, exam.group) for part in (everywhere, exam.matters))
    return Marks(every, matters)


def kept(agent: Agent, exam: Exam, key: jax.Array) -> np.ndarray:
    """In which positions of an exam the agent's move keeps the value, bool[N]."""
    moves = _moves(agent, exam.states, key)
    return exam.keeps[np.arange(len(moves)), moves]


def _share(kept: np.ndarray, part: np.ndarray, group: np.ndarray | None) -> Share:
    """Of part of the positions, bool[N] each; the error is that of a ratio of sums over groups."""
    positions, right = int(part.sum()), int(kept[part].sum())
    share = right / positions if positions else np.nan
    if group is None or not positions:
        return Share(positions, right, share, 0.0)
    _, index = np.unique(group[part], return_inverse=True)
    # A move right and a move wrong are added in the error alone, so that nothing is certain.
    rights = np.append(np.bincount(index, kept[part]), [0.0, 1.0])
    sizes = np.append(np.bincount(index), [1, 1])
    away = rights - sizes * rights.sum() / sizes.sum()
    variance = (away**2).sum() * len(away) / (len(away) - 1) / sizes.sum() ** 2
    return Share(positions, right, share, 1.96 * float(np.sqrt(variance)))


def _moves(agent: Agent, states: Any, key: jax.Array) -> np.ndarray:
    """The agent's moves i32[N]; so many positions on every device in one call."""
    devices = jax.device_count()
    count = len(jax.tree.leaves(states)[0])
    run, weights, moves = _compiled(agent.policy, devices), stack([agent.params]), []
    for at in range(0, count, devices * _BATCH):
        index = np.minimum(np.arange(at, at + devices * _BATCH), count - 1)
        keys = jax.random.split(jax.random.fold_in(key, at), devices)
        moves.append(run(weights, keys, jax.tree.map(lambda x, i=index: x[i], states)))
    return np.concatenate(moves)[:count]


@cache
def _compiled(policy: Policy, devices: int):
    everywhere, parts = PartitionSpec(), PartitionSpec("position")
    return jax.jit(
        jax.shard_map(
            lambda *x: policy(*x).move,
            mesh=Mesh(np.array(jax.devices()[:devices]), ("position",)),
            in_specs=(everywhere, parts, parts),
            out_specs=parts,
            check_vma=False,
        )
    )


def answers(game: Game):
    """What knows the answers: a function of positions [N, ...] that gives an Exam of them.

    Raises:
      Missing: the program that knows is not installed.
      ValueError: nobody knows.
    """
    if game == ConnectFour():
        return partial(_ask_bitbully, bitbully())
    return partial(_look_up, game, _solved(game))


def _solved(game: Game) -> solver.Solution:
    exact = game.perfect_information and not game.num_outcomes
    if not exact or not enumerable(game, _LIMIT):
        raise ValueError(
            "nobody knows exact values for this game; judge takes connect_four, and games of "
            "perfect information as small as tic_tac_toe, nim and hex:size=3"
        )
    return solver.solve(game)


def _look_up(game: Game, solution: solver.Solution, states: Any) -> Exam:
    known, row = np.unique(raw(solution.states), return_index=True)
    at = row[np.searchsorted(known, raw(states))]
    legal = np.asarray(jax.jit(jax.vmap(game.legal))(states))
    return Exam(states, legal, solution.keeps[at], np.arange(len(at)))


def bitbully() -> Any:
    """The solver of Connect Four, with its book of openings; raises Missing."""
    try:
        core = import_module("bitbully.bitbully_core")
        book = import_module("bitbully_databases").BitBullyDatabases.get_database_path("default")
    except ImportError:
        raise Missing("a solver is missing: pip install bitbully bitbully-databases") from None
    return core.BitBullyCore(book)


def _ask_bitbully(oracle: Any, states: Any) -> Exam:
    board = import_module("bitbully.bitbully_core").BoardCore
    game = ConnectFour()
    planes = jax.jit(jax.vmap(game.observe, (0, None)))(states, jnp.int32(0))
    stones = np.asarray(planes).astype(int) @ [1, 2]
    values = []
    for rows in stones.tolist():
        position = board()
        position.setBoard(rows)
        values.append(worth(oracle, position))
    return _marked(states, np.array(values))


def worth(oracle: Any, board: Any) -> list[int]:
    """What each column gives the mover of a board of BitBully's: 1, 0, -1, or -2 if it is full."""
    scores = enumerate(oracle.scoreMoves(board))
    return [(s > 0) - (s < 0) if board.isLegalMove(column) else -2 for column, s in scores]


def _marked(states: Any, values: np.ndarray) -> Exam:
    """From what each move gives the mover, [N, A]."""
    best = values.max(1, keepdims=True)
    return Exam(states, values > -2, values == best, np.arange(len(values)))


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
    return jax.tree.map(np.asarray, jax.lax.scan(ply, start, jnp.asarray(table))[0])


def connect_four() -> Exam:
    """10,000 positions of Connect Four, as many of each number of stones up to 35.

    `benchmarks/label.py` says how they were drawn.
    """
    text = (resources.files("arena") / "positions" / "connect_four.txt").read_text()
    moves, values = read(text)
    return _marked(replay(ConnectFour(), moves), values)
