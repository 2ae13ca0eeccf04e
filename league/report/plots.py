"""The line plots of the report: ratings, scores, losses, speed, exploitability, cost."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from arena.evaluation.score import Z95
from league.evaluation.tables import Row
from league.report import drawing, statistics, text
from league.report.data import Generation, Report
from league.report.drawing import (
    FIRST,
    HALF,
    INK,
    LOW,
    MUTED,
    SECOND,
    STAND_INS,
    THIRD,
    WIDE,
    Plot,
)


def elo(rows: Sequence[Row]) -> Plot:
    """The rating of every snapshot, with its 95 % interval."""
    title = "Elo by snapshot"
    rated = [row for row in rows if math.isfinite(row.elo)]
    if not rated:
        return Plot(title, "No snapshot has been rated yet.")
    first, last = rated[0], rated[-1]
    label = f"{title}: {text.elo(first)} at snapshot {first.id}"
    if len(rated) > 1:
        label += f", {text.elo(last)} at snapshot {last.id}"
    note = "Bars are 95 % intervals."
    if not all(math.isfinite(row.half_width) for row in rated):
        note += " Hollow: too few games for an interval."
    svg = drawing.svg(_elo_figure(rated, WIDE), "elo", label)
    return Plot(title, note, label, svg, drawing.svg(_elo_figure(rated, HALF), "elo-narrow", label))


def _elo_figure(rows: Sequence[Row], size: tuple[int, int]) -> Figure:
    x = np.array([row.id for row in rows], np.float64)
    y = np.array([row.elo for row in rows])
    half = np.array([row.half_width for row in rows])
    known = np.isfinite(half)
    figure, axes = drawing.canvas(size)
    axes.axhline(0, color=MUTED, linewidth=1)
    axes.plot(x, y, color=FIRST, linewidth=1.5, alpha=0.35)
    drawing.error_bars(axes, x[known], y[known], error=np.stack([half[known]] * 2), colour=FIRST)
    axes.plot(x[~known], y[~known], "o", color=FIRST, fillstyle="none", markersize=6)
    drawing.fit_x(axes, x)
    low, high = axes.get_ylim()
    room = max(0.0, 100 - (high - low)) / 2  # no drama from differences of a few Elo
    axes.set_ylim(low - room, high + room)
    return figure


def score(key: Literal["uniform", "mcts"], title: str, rows: Sequence[Row]) -> Plot:
    """The score of every snapshot against one baseline; `key` names the column of `Row`.

    On the ladder, a line for each rung, which is written at its first mark.
    """
    records = [(row, getattr(row, key)) for row in rows]
    played = [
        (row.id, *statistics.wilson(record)) for row, record in records if record and sum(record)
    ]
    if not played:
        return Plot(title, "Not played yet.")
    rungs = np.array(
        [row.rung if key == "mcts" else "" for row, record in records if record and sum(record)]
    )
    x, p, low, high = 100 * np.array(played, np.float64).T
    x = x / 100
    figure, axes = drawing.canvas(HALF)
    axes.axhline(50, color=MUTED, linewidth=1)
    for rung in dict.fromkeys(rungs.tolist()):
        own = rungs == rung
        axes.plot(x[own], p[own], color=FIRST, linewidth=1.5, alpha=0.35)
        axes.annotate(
            rung,
            (x[own][0], p[own][0]),
            xytext=(6, -14 if p[own][0] > 50 else 8),
            textcoords="offset points",
            color=MUTED,
            fontsize=10,
        )
    drawing.error_bars(axes, x, p, error=np.stack([p - low, high - p]), colour=FIRST)
    axes.set_ylim(-3, 103)
    axes.set_yticks([0, 25, 50, 75, 100])
    drawing.fit_x(axes, x)
    label = (
        f"{title}, score in per cent: {p[-1]:.1f} at snapshot {x[-1]:.0f}"
        f"{' against ' + rungs[-1] if rungs[-1] else ''}, "
        f"95 % interval {low[-1]:.1f} to {high[-1]:.1f}"
    )
    note = "Score in %, a draw counts half. Bars are 95 % intervals."
    return Plot(title, note, label, drawing.svg(figure, key, label))


def loss(history: Sequence[Generation]) -> Plot:
    """Total, policy and value loss."""
    lines = (
        ("loss", INK, "total"),
        ("policy_loss", FIRST, "policy"),
        ("value_loss", SECOND, "value"),
    )
    drawn = [
        (colour, name, values)
        for key, colour, name in lines
        if np.isfinite(values := statistics.column(history, key)).any()
    ]
    if not drawn:
        return Plot("Loss by generation", "No generation has been recorded yet.")
    x = statistics.generations(history)
    figure, axes = drawing.canvas(LOW)
    for colour, _, values in drawn:
        marker = "o" if np.isfinite(values).sum() == 1 else ""
        axes.plot(x, values, color=colour, linewidth=1.75, marker=marker, markersize=5)
    axes.set_ylim(bottom=min(0.0, *(np.nanmin(values) for _, _, values in drawn)))
    drawing.fit_x(axes, x)
    ends = ", ".join(f"{name} {statistics.last(values):.3g}" for _, name, values in drawn)
    label = f"Loss by generation, at the end: {ends}"
    legend = tuple((STAND_INS[colour], name) for colour, name, _ in drawn)
    svg = drawing.svg(figure, "loss", label)
    return Plot("Loss by generation", "", label, svg, legend=legend)


def speed(history: Sequence[Generation]) -> Plot:
    """Training games per second of play."""
    title = "Self-play speed"
    speed = statistics.column(history, "games_per_s")
    if not np.isfinite(speed).any():
        return Plot(title, "No generation has been recorded yet.")
    x = statistics.generations(history)
    figure, axes = drawing.canvas(LOW)
    axes.fill_between(x, speed, color=THIRD, alpha=0.14, linewidth=0)
    axes.plot(
        x, speed, color=THIRD, linewidth=1.75, marker="o" if x.size == 1 else "", markersize=6
    )
    axes.set_ylim(0, 1.12 * max(np.nanmax(speed), 1e-9))
    axes.yaxis.set_major_formatter(
        lambda value, _: text.count(value) if value >= 10 else f"{value:g}"
    )
    drawing.fit_x(axes, x)
    label = f"{title} in games per second, by generation: {statistics.last(speed):.0f} at the end"
    return Plot(
        title, "Games per second, by generation.", label, drawing.svg(figure, "speed", label)
    )


def worst(report: Report) -> Plot:
    """The lowest of each snapshot's scores against earlier ones."""
    title, found = "Worst score against an ancestor", report.forgetting
    met = [] if found is None else [i for i, row in enumerate(found.score) if (row >= 0).any()]
    if found is None or not met:
        return Plot(title, "No snapshot has met an ancestor yet.")
    opponents = [int(np.nanargmin(found.score[i])) for i in met]
    x = np.array([report.rows[i].id for i in met], np.float64)
    y, half = 100 * found.score[met, opponents], 100 * found.half_width[met, opponents]
    figure, axes = drawing.canvas(LOW)
    axes.axhline(50, color=MUTED, linewidth=1)
    error = np.stack([np.minimum(half, y), np.minimum(half, 100 - y)])
    drawing.error_bars(axes, x, y, error=error, colour=SECOND)
    axes.set_ylim(-3, 103)
    axes.set_yticks([0, 25, 50, 75, 100])
    drawing.fit_x(axes, x)
    label = (
        f"{title}, in per cent: {y[-1]:.1f} at snapshot {x[-1]:.0f}, "
        f"against snapshot {report.rows[opponents[-1]].id}"
    )
    note = "In %. The lowest of many is low by chance too: bars below 50 count."
    return Plot(title, note, label, drawing.svg(figure, "worst", label))


def exploitability(history: Sequence[Generation]) -> Plot:
    """How far the snapshot and the pool are from an equilibrium; empty where it is not known."""
    title = "Exploitability"
    kinds = ((FIRST, "snapshot", "exploitability"), (SECOND, "pool", "pool_exploitability"))
    lines = [(colour, name, statistics.column(history, key)) for colour, name, key in kinds]
    drawn = [line for line in lines if np.isfinite(line[2]).any()]
    if not drawn:
        return Plot(title, "")
    x = statistics.generations(history)
    figure, axes = drawing.canvas(WIDE)
    for colour, _, values in drawn:
        axes.plot(x, values, color=colour, linewidth=1.75, marker="o", markersize=4)
    axes.set_ylim(bottom=0)
    drawing.fit_x(axes, x)
    ends = ", ".join(f"{name} {statistics.last(values):.3g}" for _, name, values in drawn)
    label = f"{title} by generation, at the end: {ends}"
    note = "NashConv / 2, in the game's payoffs; 0 is an equilibrium."
    legend = tuple((STAND_INS[colour], name) for colour, name, _ in drawn)
    svg = drawing.svg(figure, "exploitability", label)
    return Plot(title, note, label, svg, legend=legend)


def judged(history: Sequence[Generation]) -> Plot:
    """Scores against the first policy by the judge and by the rules; empty if these are one."""
    title = "What the judge says, and what the rules say"
    known = [entry for entry in history if entry.judged.get("kl") is not None]
    if not known:
        return Plot(title, "")
    x = np.sqrt(np.maximum([entry.judged["kl"] for entry in known], 0))
    order = np.argsort(x, kind="stable")
    figure, axes = drawing.canvas(WIDE)
    axes.axhline(50, color=MUTED, linewidth=1)
    ends = []
    for colour, name, key in ((SECOND, "judge", "judge_first"), (FIRST, "rules", "rules_first")):
        y = 100 * np.array([entry.judged[key] for entry in known])
        half = 100 * Z95 * np.array([entry.judged[f"{key}_error"] for entry in known])
        axes.plot(x[order], y[order], color=colour, linewidth=1.5, alpha=0.35)
        drawing.error_bars(axes, x, y, error=np.stack([half, half]), colour=colour)
        ends.append(f"{y[-1]:.1f} by the {name}")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12))
    axes.set_ylim(-3, 103)
    axes.set_yticks([0, 25, 50, 75, 100])
    label = f"{title}: score in per cent against the first policy, {', '.join(ends)} at the end"
    note = (
        "Score in % against the first policy, in the same games, over the square root of the "
        "divergence KL(snapshot ‖ first policy) in nats a move. Bars are 95 % intervals."
    )
    legend = ((STAND_INS[SECOND], "judge"), (STAND_INS[FIRST], "rules"))
    svg = drawing.svg(figure, "judged", label)
    return Plot(title, note, label, svg, legend=legend)


def passes(history: Sequence[Generation]) -> Plot:
    """What training and measuring cost, in forward passes of networks by generation."""
    title = "Forward passes of networks"
    kinds = ((FIRST, "training", "type_1"), (THIRD, "measuring", "type_2"))
    spent = [statistics.column(history, kind) for *_, kind in kinds]
    if not np.any(spent):
        return Plot(title, "No generation has been recorded yet.")
    x, floor = statistics.generations(history), np.zeros(len(history))
    figure, axes = drawing.canvas(LOW)
    for (colour, *_), one in zip(kinds, spent, strict=True):
        top = floor + one
        axes.fill_between(x, floor, top, color=colour, alpha=0.2, linewidth=0)
        axes.plot(x, top, color=colour, linewidth=1.75, marker="o" if x.size == 1 else "")
        floor = top
    axes.set_ylim(0, 1.12 * max(floor.max(), 1))
    axes.yaxis.set_major_formatter(lambda value, _: text.short_count(value))
    drawing.fit_x(axes, x)
    totals = [round(one.sum()) for one in spent]
    label = f"{title}: {totals[0]} in training, {totals[1]} in measuring"
    legend = tuple((STAND_INS[colour], name) for colour, name, _ in kinds)
    return Plot(title, "", label, drawing.svg(figure, "passes", label), legend=legend)
