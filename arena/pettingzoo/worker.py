"""A process that plays a share of the games, many at once, and reads and writes shared memory.

It must not load JAX: a worker is to be there in a second and to cost little memory.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from dataclasses import dataclass
from math import prod
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import NamedTuple

import numpy as np

from arena.pettingzoo import validate
from arena.pettingzoo.adapter import FAILED, OVER, EnvAdapter, read_spaces
from arena.pettingzoo.description import Describer, Description
from arena.pettingzoo.env_names import creator, parse, reason
from arena.pettingzoo.errors import BadObservation, EnvError
from arena.pettingzoo.spec import EnvSpec

NEW_GAME, IDLE, PLAYOUT = -1, -2, -3
"""Requests that are no move: begin a game; do nothing; play a copy to its end at random."""

HALVES = 2
"""The games in flight lie in two halves, so that one is stepped while the device has the other."""

SLOT_SETS = 2 * HALVES
"""Sets of slots: those of the halves' games, then, for each half, those of requests for copies."""


class Slots(NamedTuple):
    """N games in flight, in memory that both sides share and write.

    Attributes:
      request: i32[N], a move, NEW_GAME, IDLE or PLAYOUT.
      seed: i64[N], of the next game, or of a playout's moves.
      plies: i32[N], the most random moves that a new game opens with.
      copy: i32[N], which copy of the game a request starts from, and then which one it has made: 0
        is the game itself, and its copies are counted from 1.
      mover: i32[N], the seat to move, OVER or FAILED.
      first: i32[N], the seat that moved first after the opening.
      payoff: f32[N], seat 0's so far.
      legal: bool[N, A], the mover's moves.
      observation: [N, ...], the mover's.
    """

    request: np.ndarray
    seed: np.ndarray
    plies: np.ndarray
    copy: np.ndarray
    mover: np.ndarray
    first: np.ndarray
    payoff: np.ndarray
    legal: np.ndarray
    observation: np.ndarray

    def part(self, part: slice) -> "Slots":
        """Some of them, in the same memory."""
        return Slots(*(field[part] for field in self))


class _Field(NamedTuple):
    """How a field of `Slots` lies in memory."""

    dtype: str
    shape: tuple[int, ...]
    bytes: int


def _fields(spec: EnvSpec, count: int) -> list[_Field]:
    """Those of N slots; each takes whole cache lines, so that no two share one."""
    kinds = [
        *((dtype, ()) for dtype in ("i4", "i8", "i4", "i4", "i4", "i4", "f4")),
        ("?", (spec.num_actions,)),
        (spec.dtype, spec.kept_shape),
    ]
    return [
        _Field(
            dtype, (count, *shape), -(-count * prod(shape) * np.dtype(dtype).itemsize // 64) * 64
        )
        for dtype, shape in kinds
    ]


def slots_bytes(spec: EnvSpec, count: int) -> int:
    """The memory that N slots take."""
    return sum(field.bytes for field in _fields(spec, count))


def slots_at(spec: EnvSpec, count: int, buffer: memoryview, offset: int) -> Slots:
    """N slots that begin at a byte of a buffer."""
    arrays = []
    for field in _fields(spec, count):
        arrays.append(np.ndarray(field.shape, field.dtype, buffer, offset))
        offset += field.bytes
    return Slots(*arrays)


def slot_sets(spec: EnvSpec, count: int, memory: SharedMemory) -> list[Slots]:
    """All `SLOT_SETS` sets of N slots, one after the other in a memory."""
    assert memory.buf is not None
    size = slots_bytes(spec, count)
    return [slots_at(spec, count, memory.buf, number * size) for number in range(SLOT_SETS)]


@dataclass(frozen=True)
class Allocation:
    """The slots that a worker is to serve.

    Attributes:
      spec: of the env.
      memory: name of the shared memory.
      count: slots in each set.
      part: those of them that are this worker's.
    """

    spec: EnvSpec
    memory: str
    count: int
    part: slice


@dataclass(frozen=True)
class Check:
    """A request to check the env."""


class Report(NamedTuple):
    """What went wrong while requests were carried out.

    Attributes:
      failed: a line for every game that failed.
      refused: the first of those that no other game makes up for, "" if there is none.
    """

    failed: tuple[str, ...]
    refused: str


@dataclass(frozen=True)
class Describe:
    """A request to describe a game of the first half to people.

    Attributes:
      slot: in which of the worker's own slots it is.
    """

    slot: int


def serve(pipe: Connection, name: str) -> None:
    """Serves requests until the other end of the pipe is closed.

    A message is one byte, the number of the slot set whose requests are to be carried out, or a
    pickled `Check`, `Allocation` or `Describe`. A byte is answered by a `Report`; a `Check` by a
    tuple of moves for every position reached, then an `EnvSpec` or `EnvError`; a `Describe` by a
    `Description`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    _end_with_parent()
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    if "ARENA_TRACEBACK" not in os.environ:
        _silence_output()
    games: _WorkerGames | None = None
    try:
        while message := pipe.recv_bytes():
            if len(message) == 1:
                assert games is not None
                pipe.send(games.step(message[0]))
                continue
            request = pickle.loads(message)
            if isinstance(request, Allocation):
                games = _WorkerGames(name, request)
            elif isinstance(request, Describe):
                assert games is not None
                pipe.send(games.describe(request.slot))
            else:
                pipe.send(_check(pipe, name))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _end_with_parent() -> None:
    """Has this process end when its parent does, even killed, and whatever an env is doing then.

    A pipe that only the parent can write to is at its end as soon as the parent is. A thread waits
    for that; and Linux sends SIGIO, which reaches code that never lets another thread run, too.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    if sys.platform == "linux":
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)  # ends the process
        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(parent.sentinel, fcntl.F_GETFL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)
    threading.Thread(target=wait, daemon=True).start()
    if not parent.is_alive():  # since before the signal was asked for
        os._exit(1)


def _silence_output() -> None:
    """What envs print is not for a program's output."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _check(pipe: Connection, name: str) -> EnvSpec | EnvError:
    """The spec, or what is wrong; on the way, the position that the check has come to."""
    try:
        return validate.check_env(name, progress=pipe.send)
    except EnvError as error:
        return error


class _WorkerGames:
    """The games of one worker: a part of both halves, and the copies that searches have made.

    A slot's list holds its game, if there is one, and the copies since its last move.
    """

    def __init__(self, name: str, allocation: Allocation):
        self._memory = SharedMemory(allocation.memory)
        sets = slot_sets(allocation.spec, allocation.count, self._memory)
        self._sets = [slots.part(allocation.part) for slots in sets]
        self._make = creator(parse(name))
        self._spaces = read_spaces(self._make())
        self._spec, self._max_plies = allocation.spec, allocation.spec.max_plies
        self._games: list[list[list[EnvAdapter]]] = [
            [[] for _ in slots.request] for slots in self._sets[:HALVES]
        ]
        secret = allocation.spec.hidden_or_chance
        self._describer = Describer(parse(name), self._spaces, secret=secret)

    def describe(self, slot: int) -> Description:
        """A game of the first half, for people."""
        games = self._games[0][slot]
        if not games:
            return Description()
        return self._describer.describe(games[0], int(self._sets[0].seed[slot]))

    def step(self, number: int) -> Report:
        """Carries out the requests of a slot set."""
        slots, half, failed, refused = self._sets[number], number % HALVES, [], ""
        serve_slot = self._step_game if number == half else self._step_copy
        for i in np.flatnonzero(slots.request != IDLE).tolist():
            games = self._games[half][i]
            try:
                serve_slot(slots, games, i)
            except Exception as error:
                what = str(error) if isinstance(error, EnvError) else reason(error)
                failed.append(f"{what} {validate.where(games[-1].moves if games else [])}")
                if isinstance(error, BadObservation):
                    refused = refused or failed[-1]
                games.clear()
                slots.mover[i] = self._sets[half].mover[i] = FAILED
        return Report(tuple(failed), refused)

    def _step_game(self, slots: Slots, games: list[EnvAdapter], i: int) -> None:
        """Moves a game on; its copies are of no more use."""
        del games[1:]
        request = int(slots.request[i])
        if request == NEW_GAME:
            if not games:
                window = self._spec.window
                made = EnvAdapter(self._make(), self._spaces, self._max_plies, window=window)
                games.append(made)
            games[0].start_from_opening(int(slots.seed[i]), int(slots.plies[i]))
        else:
            games[0].step(request)
        self._write(slots, games[0], i)

    def _step_copy(self, slots: Slots, games: list[EnvAdapter], i: int) -> None:
        """Makes a copy of a game, or of a copy, and moves that on."""
        request = int(slots.request[i])
        games.append(games[slots.copy[i]].clone())
        slots.copy[i] = len(games) - 1
        if request == PLAYOUT:
            games[-1].play_out(int(slots.seed[i]))
            self._write(slots, games.pop(), i)  # nothing goes on from an end
        else:
            games[-1].step(request)
            self._write(slots, games[-1], i)

    def _write(self, slots: Slots, game: EnvAdapter, i: int) -> None:
        """Writes down how a game stands."""
        slots.mover[i], slots.first[i], slots.payoff[i] = game.mover, game.first, game.payoff
        if game.mover != OVER:
            seen, slots.legal[i] = game.observe_mover()
            try:
                slots.observation[i] = self._spec.stored(game.windowed(seen))
            except BadObservation as error:
                agent = self._spaces.agents[game.mover]
                raise BadObservation(f"{agent}: {error}") from None
