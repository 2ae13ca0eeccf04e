"""What a training run reports while it goes on."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from league.settings.json_object import JsonObject


@dataclass(frozen=True)
class PhaseEvent:
    """A phase of a generation begins.

    Attributes:
      generation: its number.
      phase: play, learn, measure or save.
    """

    generation: int
    phase: str


@dataclass(frozen=True)
class GenerationEvent:
    """A generation is saved.

    Attributes:
      generation: its number.
      figures: as they go into the record: positions, games, games_per_s, seconds, phase_seconds by
        phase, losses by name, passes by type of feedback, and where they can be computed
        exploitability, value and pool_exploitability.
      alarms: about the new snapshot, a line each.
    """

    generation: int
    figures: JsonObject
    alarms: tuple[str, ...] = ()


Event = PhaseEvent | GenerationEvent
Callback = Callable[[Event], None]
"""Called with every event, in order."""


def as_json(event: Event) -> JsonObject:
    """An event as `arena train --json` prints it."""
    if isinstance(event, PhaseEvent):
        return {"event": "phase", **asdict(event)}
    return {"event": "generation", **event.figures}


def ignore(event: Event) -> None:
    """The callback that does nothing."""
