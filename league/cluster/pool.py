"""Has calls made by actors of Ray, any of which may die at any instant, or come late.

Ray may run a call twice or not at all, so a task may be called for more than once, and its answer
is known by the task's key. The first answer counts.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from arena import interrupt
from arena.errors import UserError
from arena.types import Forfeit
from league.cluster.figures import EVERY, ActorFigures, ClusterFigures

_LOOK = 1.0
"""Seconds after which it is looked whether a stop was asked for."""
_RETRIES = 100
"""Calls of one task that may be lost before it is given up."""
_SLOW, _SLOWEST = 3.0, 10.0
"""A call that takes so many times as long as the longest so far, and so many seconds, is made once
more by an actor that has nothing else to do."""

_log = logging.getLogger("arena.cluster")


class Answer(NamedTuple):
    """What a call gives.

    Attributes:
      key: of the task.
      result: what was asked for.
      games: that were played.
      seconds: that it took.
      weights_bytes: weights that had to be fetched for it.
      weights_seconds: that this took.
      judge_seconds: that a judge's own code took for it.
      judge_positions: that this code was given.
    """

    key: str
    result: Any
    games: int
    seconds: float
    weights_bytes: int
    weights_seconds: float
    judge_seconds: float
    judge_positions: int


@dataclass(frozen=True, eq=False)
class Task:
    """Something for an actor to do, whose answer follows from the task alone.

    Attributes:
      key: by which its answer is known.
      title: what it is, for people.
      call: calls an actor for it; gives Ray's reference to the answer.
    """

    key: str
    title: str
    call: Callable[[Any], Any]


@dataclass(eq=False)
class _Member:
    """An actor, and what is known of it."""

    handle: Any
    figures: ActorFigures
    began: float = 0.0

    def is_now(self, state: str, playing: str = "") -> None:
        """It is in another state from now on."""
        self.figures.state, self.figures.playing = state, playing
        self.began = time.monotonic()


class Pool:
    """Actors, and the calls that they are at.

    Args:
      ray: the package.
      handles: of the actors, which answer `ready` with their place.
      figures: what is told of them, kept up here.
      tell: called with the figures now and then.
    """

    def __init__(
        self,
        ray: Any,
        handles: Sequence[Any],
        figures: ClusterFigures,
        tell: Callable[[ClusterFigures], None] = lambda figures: None,
    ):
        self._ray, self.figures, self._tell = ray, figures, tell
        self._members = [_Member(one, ActorFigures(n)) for n, one in enumerate(handles)]
        figures.actors = [member.figures for member in self._members]
        self._ready = {member.handle.ready.remote(): member for member in self._members}
        self._resting: deque[tuple[float, _Member]] = deque()
        self._idle: deque[_Member] = deque()
        self._waiting: deque[Task] = deque()
        self._out: dict[Any, tuple[Task, _Member]] = {}
        self._open: dict[str, int] = {}  # calls under way or waiting, by key
        self._tries: Counter[str] = Counter()
        self._longest = 0.0
        self._began = time.monotonic()
        self._told = float("-inf")

    def __len__(self) -> int:
        return len(self._members)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to wait for: no call, and no actor that starts."""
        return not (self._out or self._waiting or self._ready or self._resting)

    def submit(self, task: Task) -> None:
        """Adds a task, unless the same one is under way."""
        if task.key not in self._open:
            self._open[task.key] = 1
            self._waiting.append(task)

    def step(self) -> list[tuple[Task, Any]]:
        """Waits for a second at most; the tasks that were answered meanwhile, and the results.

        Raises:
          KeyboardInterrupt: a stop was asked for.
          UserError: an actor found something wrong, or one task was lost too often.
        """
        interrupt.check()
        self._wake()
        self._assign()
        found = []
        for ref in self._done():
            if ref in self._ready:
                self._welcome(self._ready.pop(ref), self._get(ref))
            elif (result := self._answered(*self._out.pop(ref), ref)) is not None:
                found.append(result)
        self.tell()
        return found

    def tell(self, *, ended: bool = False) -> None:
        """Tells the figures, if that was some time ago, or in the end."""
        now = time.monotonic()
        if not ended and now - self._told < EVERY:
            return
        self._told = now
        for member in self._members:
            playing = member.figures.state == "playing"
            member.figures.playing_seconds = now - member.began if playing else 0.0
        self.figures.queue, self.figures.seconds = len(self._waiting), now - self._began
        self.figures.ended = ended
        self._tell(self.figures)

    def _done(self) -> list[Any]:
        """References that are there, of all that is waited for."""
        refs = [*self._out, *self._ready]
        if not refs:
            time.sleep(_LOOK / 10)
            return []
        # Whoever is idle may be given something to do at any moment.
        patience = _LOOK / 10 if self._idle else _LOOK
        done, rest = self._ray.wait(refs, num_returns=1, timeout=patience)
        if done and rest:
            done += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        return done

    def _assign(self) -> None:
        """Gives tasks to those who have none; slow ones once more if there are no others."""
        while self._waiting and self._idle:
            self._call(self._waiting.popleft(), self._idle.popleft())
        if not self._idle or not self._longest:
            return
        patience, now = max(_SLOWEST, _SLOW * self._longest), time.monotonic()
        for task, member in list(self._out.values()):
            slow = now - member.began > patience and self._open.get(task.key) == 1
            if slow and self._idle:
                _log.info("%s is slow: asked for once more", task.title)
                self._open[task.key] += 1
                self.figures.repeated += 1
                self._call(task, self._idle.popleft())

    def _call(self, task: Task, member: _Member) -> None:
        member.is_now("playing", task.title)
        self._out[task.call(member.handle)] = task, member

    def _answered(self, task: Task, member: _Member, ref: Any) -> Any:
        """Takes an answer in; the task and its result, if it is the first."""
        try:
            answer: Answer | None = self._get(ref)
        except UserError:
            if task.key in self._open:
                raise
            answer = None  # it came so late that what it plays with is no longer there
        if answer is None or answer.key != task.key:
            self._lost(task, member)
            return None
        took = time.monotonic() - member.began
        self._longest = max(self._longest, took)
        own = member.figures
        own.requests, own.games = own.requests + 1, own.games + answer.games
        own.seconds += answer.seconds
        own.weights_bytes += answer.weights_bytes
        own.weights_seconds += answer.weights_seconds
        own.judge_seconds += answer.judge_seconds
        own.judge_positions += answer.judge_positions
        member.is_now("idle")
        self._idle.append(member)
        if self._open.pop(task.key, None) is None:
            self.figures.duplicates += 1
            return None
        return task, answer.result

    def _lost(self, task: Task, member: _Member) -> None:
        """A call was lost: it is made again, unless another one is under way or has answered."""
        self.figures.lost += 1
        member.figures.losses += 1
        self._ask(member)
        if task.key not in self._open:
            return
        self._open[task.key] -= 1
        self._tries[task.key] += 1
        if self._tries[task.key] > _RETRIES:
            raise UserError(f"{_RETRIES} actors were lost over one request")
        if not self._open[task.key]:
            self._open[task.key] = 1
            self.figures.repeated += 1
            self._waiting.appendleft(task)

    def _welcome(self, member: _Member, place: str | None) -> None:
        """Takes an actor in that says it is ready; one that has died meanwhile is asked later."""
        if place is None:
            member.is_now("lost" if member.figures.place else "starting")
            self._resting.append((time.monotonic() + _LOOK, member))
            return
        member.figures.place = place
        member.is_now("idle")
        self._idle.append(member)

    def _wake(self) -> None:
        """Asks those again who were not there a second ago."""
        while self._resting and self._resting[0][0] <= time.monotonic():
            member = self._resting.popleft()[1]
            self._ready[member.handle.ready.remote()] = member

    def _ask(self, member: _Member) -> None:
        """Asks an actor to say when it has been started again."""
        member.is_now("lost")
        self._ready[member.handle.ready.remote()] = member

    def _get(self, ref: Any) -> Any:
        """What a call gave; None if it was lost.

        Raises:
          UserError: the actor found something wrong.
          Forfeit: a player there cannot go on.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(ref)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, (UserError, Forfeit)):
                raise type(cause)(str(cause)) from None
            if not isinstance(cause, errors.RayError):  # what it was to fetch was lost
                raise
            _log.info("a call was lost: %s", line(cause))
        except errors.RayError as error:
            _log.info("an actor was lost: %s", line(error))
        return None


def line(error: BaseException) -> str:
    """What an error says, in one line."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
