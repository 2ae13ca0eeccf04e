"""The speed of the rules, from `benchmarks/results/games_cpu.json`."""

from functools import cache
from typing import NamedTuple

from docs.generate import facts


class Speed(NamedTuple):
    """One game's figures.

    Attributes:
      size: bytes of its state.
      bare: steps a second of the best batch size, without observations.
      observed: the same with the mover's observation at every step.
      pgx: ratio to pgx, with its lowest and highest; None if pgx lacks the game.
      openspiel: the same, to OpenSpiel.
    """

    size: int
    bare: float
    observed: float
    pgx: tuple[float, float, float] | None
    openspiel: tuple[float, float, float] | None


@cache
def speeds() -> dict[str, Speed]:
    """Every game that has been measured, by name, sorted."""
    lines = [line for run in facts.results("games_cpu")["runs"] for line in run["lines"]]
    return {name: _speed(name, lines) for name in sorted({line["game"] for line in lines})}


def _speed(name: str, lines: list[dict]) -> Speed:
    of = [line for line in lines if line["game"] == name]
    own = [line for line in of if line.get("who") == "arena"]
    ratios = next(line for line in of if "who" not in line)
    best = {
        mode: max(line["steps_per_s"] for line in own if line["mode"] == mode)
        for mode in ("bare", "observed")
    }
    return Speed(own[0]["state_bytes"], *best.values(), *(_ratio(ratios, p) for p in PEERS))


PEERS = ("pgx", "openspiel")


def _ratio(line: dict, peer: str) -> tuple[float, float, float] | None:
    if f"ratio_{peer}" not in line:
        return None
    low, high = line[f"ratio_{peer}_spread"]
    return line[f"ratio_{peer}"], low, high


def times(ratio: tuple[float, float, float] | None) -> str:
    """A ratio as text, two digits of it; empty if there is none."""
    if ratio is None:
        return ""
    return f"{ratio[0]:.0f}" if ratio[0] >= 10 else f"{ratio[0]:.1f}"
