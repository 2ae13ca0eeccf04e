"""The matrices of the report: who beats whom, and which generation forgot whom."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

from league.report import drawing
from league.report.data import Report
from league.report.drawing import CARD, GRID, INK, MUTED, PAYOFF, SECOND, Plot

ANNOTATED = 16
"""The payoff matrix shows its numbers up to this many snapshots."""

_BLUE, _RED = (0.18, 0.43, 0.71), (0.78, 0.36, 0.19)


BALANCE = LinearSegmentedColormap.from_list(
    "balance", [(0, (*_RED, 0.95)), (0.5, (*_RED, 0.0)), (0.5, (*_BLUE, 0.0)), (1, (*_BLUE, 0.95))]
).with_extremes(bad=(0.5, 0.5, 0.5, 0.16))
"""Scores from 0 to 1; an even score is transparent and so shows the card, light or dark."""


def payoff(report: Report) -> Plot:
    """The score of every snapshot against every other."""
    title, n = "Who beats whom", len(report.rows)
    if n < 2:
        return Plot(title, "It takes two snapshots to meet.")
    annotated = n <= ANNOTATED
    payoff = np.where(np.eye(n, dtype=bool), 0.5, report.payoff)
    figure, axes = drawing.canvas(PAYOFF, left=34, bottom=44, top=28)
    axes.grid(False)
    _paint(axes, np.nan_to_num(payoff, nan=0.5) if annotated else payoff)
    shown = np.arange(n) if annotated else np.unique(np.linspace(0, n - 1, 11).astype(int))
    ids = [str(report.rows[i].id) for i in shown]
    axes.set_xticks(shown, ids)
    axes.set_yticks(shown, ids)
    axes.xaxis.tick_top()
    if annotated:
        _annotate(axes, payoff)
    _key(figure)
    pairs = n * (n - 1) // 2
    met = int(np.triu(np.isfinite(payoff) | np.isfinite(payoff.T), 1).sum())
    label = f"{title}: payoff matrix of {n} snapshots, {met} of {pairs} pairs have met"
    note = "Score of the row against the column, in %."
    if met < pairs:
        note += " Hatched: have not met." if annotated else " Grey: have not met."
    return Plot(title, note, label, drawing.svg(figure, "payoff", label))


def forgetting(report: Report) -> Plot:
    """Scores against ancestors: snapshots from left to right, their ancestors downwards."""
    title, found, n = "Forgetting", report.forgetting, len(report.rows)
    if found is None or n < 2:
        return Plot(title, "It takes two snapshots to forget.")
    annotated = n <= ANNOTATED
    score = np.where(np.tri(n, k=-1, dtype=bool), found.score, math.nan).T
    unmet = np.tri(n, k=-1, dtype=bool).T & np.isnan(score)
    figure, axes = drawing.canvas(PAYOFF, left=34, bottom=44, top=28)
    axes.grid(False)
    shades = BALANCE.with_extremes(bad=(0.0, 0.0, 0.0, 0.0))
    axes.imshow(score, cmap=shades, vmin=0, vmax=1, interpolation="none", aspect="auto")
    grey = np.zeros((n, n, 4))
    grey[unmet] = (0.5, 0.5, 0.5, 0.16)
    axes.imshow(grey, interpolation="none", aspect="auto")
    shown = np.arange(n) if annotated else np.unique(np.linspace(0, n - 1, 11).astype(int))
    ids = [str(report.rows[i].id) for i in shown]
    axes.set_xticks(shown, ids)
    axes.set_yticks(shown, ids)
    axes.xaxis.tick_top()
    if annotated:
        _gaps(axes, n)
        _number(axes, score)
    lost = np.argwhere((found.score + found.half_width < 0.5).T)
    if len(lost):
        rings = Outline.make_compound_path(*[_square(x, y, 0.42) for y, x in lost])
        axes.add_patch(PathPatch(rings, fill=False, edgecolor=SECOND, linewidth=1.75))
    _key(figure)
    label = f"{title}: scores of {n} snapshots against their ancestors, {len(lost)} of them losses"
    note = "Column against its ancestor in the row, in %. Framed: a sure loss."
    return Plot(title, note, label, drawing.svg(figure, "forgetting", label))


def _gaps(axes: Axes, n: int) -> None:
    """Gaps between n by n cells."""
    edges = np.arange(1, n) - 0.5
    axes.hlines(edges, -0.5, n - 0.5, colors=CARD, linewidth=1.5)
    axes.vlines(edges, -0.5, n - 0.5, colors=CARD, linewidth=1.5)


def _number(axes: Axes, score: NDArray[np.floating]) -> None:
    """The scores f64[n, n] that are known, in per cent, each in its cell."""
    n = len(score)
    for row, column in np.argwhere(np.isfinite(score)):
        value = score[row, column]
        axes.text(
            column,
            row,
            f"{100 * value:.0f}",
            color="white" if abs(value - 0.5) > 0.44 else INK,
            fontsize=10.5 if n > 8 else 13,
            ha="center",
            va="center_baseline",
        )


def _paint(axes: Axes, scores: NDArray[np.floating]) -> None:
    axes.imshow(scores, cmap=BALANCE, vmin=0, vmax=1, interpolation="none", aspect="auto")


def _annotate(axes: Axes, payoff: NDArray[np.floating]) -> None:
    """Gaps between the cells, a number in each, hatching where two have not met."""
    n = len(payoff)
    _gaps(axes, n)
    _number(axes, np.where(np.eye(n, dtype=bool), math.nan, payoff))
    corners = [_square(column, row) for row, column in np.argwhere(np.isnan(payoff))]
    if corners:
        outline = Outline.make_compound_path(*corners)
        axes.add_patch(PathPatch(outline, hatch="////", fill=False, edgecolor=GRID, linewidth=0))


def _square(x: float, y: float, half: float = 0.47) -> Outline:
    points = [
        (x - half, y - half),
        (x + half, y - half),
        (x + half, y + half),
        (x - half, y + half),
    ]
    return Outline([*points, points[0]], closed=True)


def _key(figure: Figure) -> None:
    """The colour scale, under the matrix."""
    width, height = PAYOFF
    axes = figure.add_axes(
        (34 / width, 22 / height, (width - 46) / width, 8 / height), frameon=False
    )
    _paint(axes, np.linspace(0, 1, 101)[None])
    axes.set_yticks([])
    axes.set_xticks([0, 50, 100], ["0", "50", "100"])
    axes.tick_params(length=0, pad=5, labelsize=10, colors=MUTED)
