"""Ray in this process, for what has to hold whichever calls are lost."""

import os
import pickle
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from arena.errors import UserError
from league.cluster.actor import Actor
from league.cluster.figures import ClusterFigures
from league.cluster.pool import Pool
from league.cluster.ray_actors import RayActors
from league.store.run import Run


class LostError(Exception):
    """As `ray.exceptions.RayError`."""


class TaskError(Exception):
    """As `ray.exceptions.RayTaskError`."""

    def __init__(self, cause: Exception):
        self.cause = cause


@dataclass
class FakeRay:
    """Ray in this process, whose actors lose calls.

    Attributes:
      losses: how often each call of `play` is lost before it is answered, in order of the calls.
      calls: of `play`.
    """

    losses: list[bool]
    calls: int = 0
    cloudpickle: Any = pickle
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(RayError=LostError, RayTaskError=TaskError)
    )

    def actor(self, card: Any = None, place: str = "") -> Any:
        """An actor in this process."""
        actor = Actor("test", card, place, os.getcwd())
        return SimpleNamespace(
            ready=SimpleNamespace(remote=lambda: FakeCall(actor.ready)),
            **{
                name: SimpleNamespace(remote=partial(self._called, getattr(actor, name)))
                for name in ("play", "play_match")
            },
        )

    def _called(self, play: Any, *arguments: Any) -> "FakeCall":
        return FakeCall(lambda: self._play(play, arguments))

    def _play(self, play: Any, arguments: tuple) -> Any:
        self.calls += 1
        if self.calls <= len(self.losses) and self.losses[self.calls - 1]:
            raise LostError("the actor died")
        try:
            return play(*arguments)
        except UserError as error:
            raise TaskError(error) from None

    def put(self, value: Any) -> "FakeCall":
        return FakeCall(lambda: value)

    def wait(self, calls: list[Any], **options: Any) -> tuple[list[Any], list[Any]]:
        if not options["timeout"]:
            return [], calls
        return calls[-1:], calls[:-1]  # the last one first

    def get(self, call: Any) -> Any:
        return call.work()


@dataclass(eq=False)
class FakeCall:
    """A call that is under way."""

    work: Any


def fake_actors(
    monkeypatch: pytest.MonkeyPatch, run: Run, losses: list[bool]
) -> tuple[RayActors, Pool, FakeRay]:
    """Two actors of a run in this process; they are to be closed."""
    monkeypatch.setattr("league.cli.device.prepare", lambda: None)
    fake = FakeRay(losses)
    handles = [fake.actor(run.card, str(run.folder)) for _ in range(2)]
    pool = Pool(fake, handles, ClusterFigures("train", "here"))
    return RayActors(run, pool), pool, fake
