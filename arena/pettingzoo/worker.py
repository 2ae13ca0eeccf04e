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

from arena.pettingzoo import check
from arena.pettingzoo.check import Facts
from arena.pettingzoo.env import FAILED, OVER, Form, Seat, creator, form, parse, reason
from arena.pettingzoo.fault import Fault

NEW, WAIT = -1, -2
"""Orders that are no move: begin a game; leave the game as it is."""


class Slots(NamedTuple):
    """N games in flight; what both sides write lies in memory that they share.

    Attributes:
      order: i32[N], a move, NEW or WAIT.
      seed: i64[N], of the next game.
      plies: i32[N], the most random moves that it opens with.
      mover: i32[N], the seat to move, OVER or FAILED.
      first: i32[N], the seat that moved first after the opening.
      payoff: f32[N], what seat 0 has got so far.
      legal: bool[N, A].
      observation: [N, ...], what the mover sees.
    """

    order: np.ndarray
    seed: np.ndarray
    plies: np.ndarray
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
        *((dtype, ()) for dtype in ("i4", "i8", "i4", "i4", "i4", "f4")),
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

    A message is one byte, the half whose games are to be stepped, or a pickled tuple: `("check",)`
    or `("sit", facts, memory, count, part)`. The answer to a byte is text, a
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
        return "facts", check.inspect(name, lambda moves: pipe.send(("at", moves)))
    except Fault as fault:
        return "fault", str(fault)


class _Share:
    """The games of one worker: a part of both halves of the table."""

    def __init__(self, name: str, facts: Facts, memory: str, count: int, part: slice):
        self._memory = SharedMemory(memory)
        starts = 0, room(facts, count)
        self._halves = [slots(facts, count, self._memory.buf, at).part(part) for at in starts]
        self._make = creator(parse(name))
        self._form: Form = form(self._make())
        self._limit = facts.limit
        self._seats: list[list[Seat | None]] = [[None] * len(half.order) for half in self._halves]

    def step(self, number: int) -> str:
        """Carries out the orders of a half; a line for every game that failed."""
        half, seats, failed = self._halves[number], self._seats[number], []
        for i in np.flatnonzero(half.order != WAIT).tolist():
            try:
                self._obey(half, seats, i)
            except Exception as error:
                seat, seats[i] = seats[i], None
                half.mover[i] = FAILED
                what = str(error) if isinstance(error, Fault) else reason(error)
                failed.append(f"{what} {check.where(seat.moves if seat else [])}")
        return "\n".join(failed)

    def _obey(self, half: Slots, seats: list[Seat | None], i: int) -> None:
        order = int(half.order[i])
        seat = seats[i]
        if order == NEW:
            if seat is None:
                seat = seats[i] = Seat(self._make(), self._form, self._limit)
            seat.open(int(half.seed[i]), int(half.plies[i]))
        else:
            assert seat is not None
            seat.move(order)
        half.mover[i], half.first[i], half.payoff[i] = seat.mover, seat.first, seat.payoff
        if seat.mover != OVER:
            half.observation[i], half.legal[i] = seat.look()
