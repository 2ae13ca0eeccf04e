"""A process that plays a share of the games, many at once, and reads and writes shared memory.

It must not load JAX: a worker is to be there in a second and to cost little memory.
"""

import os
import pickle
import signal
from math import prod
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any, NamedTuple

import numpy as np

from arena.pettingzoo import validate
from arena.pettingzoo.adapter import FAILED, OVER, Form, Seat, creator, form, parse, reason
from arena.pettingzoo.fault import Fault
from arena.pettingzoo.validate import Facts

NEW, WAIT, PLAYOUT = -1, -2, -3
"""Orders that are no move: begin a game; leave it as it is; play a copy to its end at random."""

TABLES = 4
"""Sets of slots: those of the two halves' games, then those in which a search asks for copies."""


class Slots(NamedTuple):
    """N games in flight; what both sides write lies in memory that they share.

    Attributes:
      order: i32[N], a move, NEW, WAIT or PLAYOUT.
      seed: i64[N], of the next game, or of the moves at random.
      plies: i32[N], the most random moves that it opens with.
      node: i32[N], what a search goes on from, and then where it has come to: 0 is the game
        itself, and its copies are counted from 1.
      mover: i32[N], the seat to move, OVER or FAILED.
      first: i32[N], the seat that moved first after the opening.
      payoff: f32[N], what seat 0 has got so far.
      legal: bool[N, A].
      observation: [N, ...], what the mover sees.
    """

    order: np.ndarray
    seed: np.ndarray
    plies: np.ndarray
    node: np.ndarray
    mover: np.ndarray
    first: np.ndarray
    payoff: np.ndarray
    legal: np.ndarray
    observation: np.ndarray

    def part(self, part: slice) -> "Slots":
        """Some of them, in the same memory."""
        return Slots(*(field[part] for field in self))


def _fields(facts: Facts, count: int) -> list[tuple[Any, tuple[int, ...], int]]:
    """Type, shape and bytes of each field; whole cache lines, so that no two share one."""
    kinds = [
        *((dtype, ()) for dtype in ("i4", "i8", "i4", "i4", "i4", "i4", "f4")),
        ("?", (facts.actions,)),
        (facts.dtype, facts.shape),
    ]
    return [
        (dtype, (count, *shape), -(-count * prod(shape) * np.dtype(dtype).itemsize // 64) * 64)
        for dtype, shape in kinds
    ]


def room(facts: Facts, count: int) -> int:
    """Bytes that N slots take."""
    return sum(size for _, _, size in _fields(facts, count))


def slots(facts: Facts, count: int, buffer: Any, at: int) -> Slots:
    """N slots that begin at a byte of a buffer."""
    fields = []
    for dtype, shape, size in _fields(facts, count):
        fields.append(np.ndarray(shape, dtype, buffer, at))
        at += size
    return Slots(*fields)


def serve(pipe: Connection, name: str) -> None:
    """Does what the pipe says until its other end is closed.

    A message is one byte, the table whose orders are to be carried out, or a pickled tuple:
    `("check",)` or `("sit", facts, memory, count, part)`. The answer to a byte is text, a
    line for every game that failed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    if "ARENA_TRACEBACK" not in os.environ:
        _hush()
    share: _Share | None = None
    try:
        while message := pipe.recv_bytes():
            if len(message) == 1:
                assert share is not None
                pipe.send_bytes(share.step(message[0]).encode())
                continue
            kind, *arguments = pickle.loads(message)
            if kind == "check":
                pipe.send(_check(pipe, name))
            else:
                share = _Share(name, *arguments)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _hush() -> None:
    """What envs print is not for a program's output."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _check(pipe: Connection, name: str) -> tuple[str, Any]:
    """The facts, or what is wrong; on the way, where it is."""
    try:
        return "facts", validate.inspect(name, lambda moves: pipe.send(("at", moves)))
    except Fault as fault:
        return "fault", str(fault)


class _Share:
    """The games of one worker: a part of both halves, and the copies that searches have made.

    A slot's list holds its game, if there is one, and the copies since its last move.
    """

    def __init__(self, name: str, facts: Facts, memory: str, count: int, part: slice):
        self._memory = SharedMemory(memory)
        starts = range(0, TABLES * room(facts, count), room(facts, count))
        self._tables = [slots(facts, count, self._memory.buf, at).part(part) for at in starts]
        self._make = creator(parse(name))
        self._form: Form = form(self._make())
        self._limit = facts.limit
        self._games: list[list[list[Seat]]] = [[[] for _ in t.order] for t in self._tables[:2]]

    def step(self, number: int) -> str:
        """Carries out the orders of a table; a line for every game that failed."""
        table, half, failed = self._tables[number], number % 2, []
        obey = self._obey if number == half else self._branch
        for i in np.flatnonzero(table.order != WAIT).tolist():
            games = self._games[half][i]
            try:
                obey(table, games, i)
            except Exception as error:
                what = str(error) if isinstance(error, Fault) else reason(error)
                failed.append(f"{what} {validate.where(games[-1].moves if games else [])}")
                games.clear()
                table.mover[i] = self._tables[half].mover[i] = FAILED
        return "\n".join(failed)

    def _obey(self, half: Slots, games: list[Seat], i: int) -> None:
        """Moves a game on; its copies are of no more use."""
        del games[1:]
        order = int(half.order[i])
        if order == NEW:
            if not games:
                games.append(Seat(self._make(), self._form, self._limit))
            games[0].open(int(half.seed[i]), int(half.plies[i]))
        else:
            games[0].move(order)
        _tell(half, games[0], i)

    def _branch(self, table: Slots, games: list[Seat], i: int) -> None:
        """Makes a copy of a game, or of a copy, and moves that on."""
        order = int(table.order[i])
        games.append(games[table.node[i]].clone())
        table.node[i] = len(games) - 1
        if order == PLAYOUT:
            games[-1].finish(int(table.seed[i]))
            _tell(table, games.pop(), i)  # nothing goes on from an end
        else:
            games[-1].move(order)
            _tell(table, games[-1], i)


def _tell(table: Slots, seat: Seat, i: int) -> None:
    """Writes down how a game stands."""
    table.mover[i], table.first[i], table.payoff[i] = seat.mover, seat.first, seat.payoff
    if seat.mover != OVER:
        table.observation[i], table.legal[i] = seat.look()
