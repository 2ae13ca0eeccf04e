"""The words and formatted numbers of the page: pure functions from figures to text."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from league.evaluation.tables import Record, Row
from league.report import statistics
from league.report.data import Report

MISSING = "–"
"""Stands in a table for what has not been measured."""


def verdict(rows: Sequence[Row]) -> str:
    """One honest sentence: how far the last snapshot stands from the first.

    The two intervals are combined as if independent, which is exact if the first is the anchor.
    """
    if not rows:
        return "No snapshot has been rated yet."
    first, last = rows[0], rows[-1]
    if len(rows) == 1:
        return f"Snapshot {last.id} is the only one so far: there is nothing to compare it with."
    gain, half = last.elo - first.elo, math.hypot(first.half_width, last.half_width)
    if not (math.isfinite(gain) and math.isfinite(half)):
        return f"Too few games to tell snapshot {last.id} from snapshot {first.id}."
    digits = 0 if abs(abs(gain) - half) >= 1 else 1  # a close call must not be rounded away
    if abs(gain) <= half:
        return (
            f"No clear difference yet: snapshot {last.id} stands at {signed(gain, digits)} "
            f"± {half:.{digits}f} Elo from snapshot {first.id} (95 %), an interval that includes 0."
        )
    side = "above" if gain > 0 else "below"
    return (
        f"Snapshot {last.id} stands {abs(gain):.{digits}f} ± {half:.{digits}f} Elo {side} "
        f"snapshot {first.id} (95 %)."
    )


def signed(x: float, digits: int = 0) -> str:
    """The number with its sign, a true minus; 0 has none."""
    text = f"{abs(x):.{digits}f}"
    if not text.strip("0."):
        return text
    return ("−" if x < 0 else "+") + text


def _minus(x: float) -> str:
    return str(round(x)).replace("-", "−")


def elo(row: Row) -> str:
    """Rating and half-width of its 95 % interval; the anchor has no interval."""
    if not math.isfinite(row.elo):
        return MISSING
    if row.half_width == 0:
        return _minus(row.elo)
    half = f"{row.half_width:.0f}" if math.isfinite(row.half_width) else "?"
    return f"{_minus(row.elo)} ± {half}"


def count(x: float) -> str:
    """A whole number, thousands parted by a narrow space."""
    return f"{x:,.0f}".replace(",", "\u202f")


def duration(seconds: float) -> str:
    """36 s, 3 min, 2 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def short_count(value: float) -> str:
    """800, 25 k, 1.5 M, 2 G."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def totals(report: Report) -> list[tuple[str, str]]:
    """The strip under the header: name and value of each total that is known."""
    games = statistics.rated_games(report.meetings)
    numbers = [("snapshots", count(len(report.rows))), ("rated games", count(games))]
    for key, name, text in (
        ("positions", "positions trained on", count),
        ("seconds", "training time", duration),
    ):
        values = statistics.column(report.history, key)
        if np.isfinite(values).any():
            numbers.append((name, text(float(np.nansum(values)))))
    speeds = statistics.column(report.history, "games_per_s")
    if np.isfinite(speeds).any():
        numbers.append(("games per second", count(float(np.nanmedian(speeds)))))
    return numbers


def cells(row: Row) -> dict[str, object]:
    """The cells of a snapshot in the table, by column."""
    return {
        "id": row.id,
        "elo": elo(row),
        "games": count(row.games),
        "uniform": score(row.uniform),
        "mcts": score(row.mcts),
        "rung": row.rung or MISSING,
        "melo": MISSING if row.melo is None else f"{row.melo:.0f}",
        "nash": MISSING if row.nash is None else f"{100 * row.nash:.1f}",
        "alpha_rank": MISSING if row.alpha_rank is None else f"{100 * row.alpha_rank:.1f}",
    }


def score(record: Record | None) -> tuple[str, str]:
    """Score in per cent, and `W / D / L`."""
    if record is None or sum(record) == 0:
        return MISSING, ""
    return f"{100 * statistics.wilson(record)[0]:.1f}", " / ".join(map(count, record))


def sections(card: Mapping[str, object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The run card as headed groups of key and value; what has no group comes first."""
    loose = [(str(k), _value(v)) for k, v in card.items() if not isinstance(v, Mapping)]
    groups = [(str(k), list(_flat(v))) for k, v in card.items() if isinstance(v, Mapping)]
    return [(name, pairs) for name, pairs in [("", loose), *groups] if pairs]


def _flat(tree: Mapping[object, object], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _value(value)


def _value(value: object) -> str:
    if value is None or value == {}:
        return MISSING
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value)) or MISSING
    return str(value)
