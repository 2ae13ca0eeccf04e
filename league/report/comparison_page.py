"""The page that compares runs: plots of their curves, a table, and where their settings differ."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from league.report import drawing, page, text
from league.report.comparison import Axis, Curve, Figure, Group, differences
from league.report.drawing import HALF, MUTED, SERIES, STAND_INS, WIDE, Floats, Plot

ANCHOR = (
    "Elo is relative to snapshot 0 of the same run. Ratings of different runs share no scale, "
    "since they have not met: a difference between two curves is no difference in strength "
    "between two players."
)
SPREAD = "Bold: mean over seeds; shaded: ± one standard deviation between them; thin: each run."


def render(groups: Sequence[Group]) -> str:
    """The page, as one string of HTML; equal groups give equal text."""
    curves = [curve for group in groups for curve in group.curves]
    searches = {
        tuple(
            curve.settings.get(f"config.measure.{name}", "") for name in ("rollouts", "simulations")
        )
        for curve in curves
    }
    baseline = "" if len(searches) == 1 else "Rollouts and simulations differ between runs. "
    baseline += "A fall may be that from one rung to the next."
    return page.template(
        "comparison.html",
        game=curves[0].game,
        names=[curve.name for curve in curves],
        anchor=ANCHOR,
        elo=plot(groups, "generation", "elo", "Elo by generation", size=WIDE),
        plots=[
            plot(groups, "games", "elo", "Elo by training games"),
            plot(groups, "seconds", "elo", "Elo by seconds", note="Measuring included."),
            plot(groups, "generation", "uniform", "Raw network against uniform, %"),
            plot(groups, "generation", "mcts", "With search against the ladder, %", note=baseline),
            plot(groups, "generation", "loss", "Total loss"),
            plot(groups, "generation", "policy_loss", "Policy loss"),
            plot(groups, "generation", "value_loss", "Value loss"),
        ],
        columns=COLUMNS,
        rows=rows(groups),
        labels=[group.label for group in groups],
        differences=[(name, *values) for name, values in differences(groups)],
    )


def plot(
    groups: Sequence[Group],
    x: Axis,
    y: Figure,
    title: str,
    *,
    size: tuple[int, int] = HALF,
    note: str = "",
) -> Plot:
    """One figure of all groups, each in its colour."""
    scale = 100.0 if y in ("uniform", "mcts") else 1.0
    if not any(np.isfinite(getattr(c, y)).any() for group in groups for c in group.curves):
        return Plot(title, "Not measured.")
    figure, axes = drawing.canvas(size)
    legend = []
    for number, group in enumerate(groups):
        colour = SERIES[number % len(SERIES)]
        legend.append((STAND_INS[colour], group.label))
        _draw(axes, group, x, y, scale=scale, colour=colour)
    if y in ("elo", "uniform", "mcts"):
        axes.axhline(50 if scale > 1 else 0, color=MUTED, linewidth=1)
    if scale > 1:
        axes.set_ylim(-3, 103)
    elif y == "loss":
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.xaxis.set_major_formatter(lambda value, _: text.short_count(value))
    ends = ", ".join(
        f"{curve.name} {scale * _last(getattr(curve, y)):.3g}" for g in groups for curve in g.curves
    )
    label = f"{title}, at the end: {ends}"
    if any(len(group.curves) > 1 for group in groups) and y == "elo" and x == "generation":
        note = f"{note} {SPREAD}".strip()
    svg = drawing.svg(figure, f"{y}-{x}".replace("_", "-"), label)
    return Plot(title, note, label, svg, legend=tuple(legend))


def _draw(axes: Axes, group: Group, x: Axis, y: Figure, *, scale: float, colour: str) -> None:
    """The curves of a group; with several, their mean and spread too."""
    several = len(group.curves) > 1
    for curve in group.curves:
        across, up = getattr(curve, x), scale * getattr(curve, y)
        width, alpha = (0.8, 0.45) if several else (1.75, 1.0)
        axes.plot(across, up, color=colour, linewidth=width, alpha=alpha)
        if y == "elo" and x == "generation" and not several:
            half = curve.half_width
            known = np.isfinite(half)
            error = np.stack([half[known]] * 2)
            drawing.error_bars(axes, across[known], up[known], error=error, colour=colour)
    if several:
        across, mean = group.mean(x), scale * group.mean(y)
        half = scale * group.spread(y)
        axes.fill_between(across, mean - half, mean + half, color=colour, alpha=0.16, linewidth=0)
        axes.plot(across, mean, color=colour, linewidth=2.25)


def _last(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if known.size else float("nan")


COLUMNS = (
    "run",
    "seed",
    "generations",
    "games",
    "seconds",
    "Elo",
    "± 95 %",
    "loss",
    "uniform",
    "mcts",
)
"""Of the table, on the page and on the terminal."""


def rows(groups: Sequence[Group]) -> list[list[str]]:
    """The table: one row a run; a group of several seeds has a row of means ± spread too."""
    found = []
    for group in groups:
        found += [_row(curve) for curve in group.curves]
        if len(group.curves) > 1:
            found.append(_mean_row(group))
    return found


def _row(curve: Curve) -> list[str]:
    return [
        curve.name,
        str(curve.seed),
        f"{curve.generation[-1]:.0f}",
        f"{curve.games[-1]:.0f}",
        f"{curve.seconds[-1]:.0f}",
        _number(curve.elo[-1], ".0f"),
        _number(curve.half_width[-1], ".0f"),
        _number(_last(curve.loss), ".3f"),
        _number(curve.uniform[-1], ".1%"),
        _number(curve.mcts[-1], ".1%"),
    ]


def _mean_row(group: Group) -> list[str]:
    """Means at the last generation that all runs have; Elo with its standard deviation."""

    def both(name: Figure, form: str) -> str:
        mean, spread = group.mean(name)[-1], group.spread(name)[-1]
        return _number(mean, form) and f"{mean:{form}} ± {spread:{form}}"

    last = group.length - 1
    return [
        f"mean ± s.d. of {len(group.curves)} seeds",
        "",
        f"{group.mean('generation')[last]:.0f}",
        f"{group.mean('games')[last]:.0f}",
        f"{group.mean('seconds')[last]:.0f}",
        both("elo", ".0f"),
        "",
        both("loss", ".3f"),
        both("uniform", ".1%"),
        both("mcts", ".1%"),
    ]


def _number(value: float, form: str) -> str:
    return f"{value:{form}}" if np.isfinite(value) else ""
