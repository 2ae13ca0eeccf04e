"""Plots of experiments as data, kept with the results and drawn for a page or for the site."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from league.lab.estimates import over_seeds


@dataclass(frozen=True)
class Line:
    """One curve of a chart.

    Attributes:
      name: as the legend has it.
      x: where.
      y: the values, as many.
      low: lower ends of their intervals, as many, or none.
      high: upper ends.
      expected: what theory says, drawn dashed.
      points: marks that no line joins.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    expected: bool = False
    points: bool = False


@dataclass(frozen=True)
class Chart:
    """A plot.

    Attributes:
      title: its heading.
      x: what lies along the horizontal axis.
      y: what lies along the vertical axis.
      lines: eight at most.
      note: how to read it.
      log_x: the horizontal axis is logarithmic.
      log_y: the vertical axis is.
      level: of a grey horizontal line, if there is one.
    """

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    note: str = ""
    log_x: bool = False
    log_y: bool = False
    level: float | None = None


def line(
    name: str,
    x: Sequence[float] | np.ndarray,
    y: Sequence[float] | np.ndarray,
    *,
    expected: bool = False,
    points: bool = False,
) -> Line:
    """A curve without intervals; x: f64[n], y: f64[n]."""
    return Line(name, _floats(x), _floats(y), expected=expected, points=points)


def mean_line(
    name: str,
    x: Sequence[float] | np.ndarray,
    seeds: Sequence[Sequence[float]] | np.ndarray,
    *,
    points: bool = False,
) -> Line:
    """The mean over seeds with 95 % intervals; x: f64[n], seeds: f64[seeds, n]."""
    found = [over_seeds(column) for column in np.asarray(seeds, np.float64).T]
    if len(np.asarray(seeds)) == 1:
        return line(name, x, [one.value for one in found], points=points)
    return Line(
        name,
        _floats(x),
        tuple(one.value for one in found),
        tuple(one.low for one in found),
        tuple(one.high for one in found),
        points=points,
    )


def from_json(found: dict[str, Any]) -> Chart:
    """The chart that `dataclasses.asdict` turned into this, by way of JSON."""
    lines = tuple(
        Line(**{key: _tuple(value) for key, value in one.items()}) for one in found["lines"]
    )
    return Chart(**{**found, "lines": lines})


def _tuple(value: Any) -> Any:
    return tuple(np.nan if x is None else x for x in value) if isinstance(value, list) else value


def _floats(values: Sequence[float] | np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def draw(axes: Axes, chart: Chart, *, colours: Sequence[str], muted: str) -> None:
    """Draws all lines, one colour each, in turn."""
    if chart.level is not None:
        axes.axhline(chart.level, color=muted, linewidth=1)
    for number, one in enumerate(chart.lines):
        _draw(axes, one, colours[number % len(colours)])
    if chart.log_x:
        axes.set_xscale("log")
    if chart.log_y:
        axes.set_yscale("log")
    axes.set_xlabel(chart.x, color=muted)
    axes.set_ylabel(chart.y, color=muted)


def _draw(axes: Axes, one: Line, colour: str) -> None:
    if one.points:
        if one.low:
            axes.vlines(one.x, one.low, one.high, color=colour, linewidth=1.5)
        axes.plot(one.x, one.y, "o", color=colour, markersize=5, label=one.name)
        return
    if one.low:
        axes.fill_between(one.x, one.low, one.high, color=colour, alpha=0.16, linewidth=0)
    style = "--" if one.expected else "-"
    marker = "o" if len(one.x) == 1 else ""
    axes.plot(one.x, one.y, style, color=colour, linewidth=1.75, marker=marker, label=one.name)
