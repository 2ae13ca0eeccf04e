"""The report of a run: one page of HTML, with its plots inside, that opens without a network.

`render` is a pure function: equal reports give equal text. The page fetches nothing and runs no
script; its content security policy says so to the browser. The plots are drawn by matplotlib in
stand-in colours, which become CSS variables, so that they follow the light or dark theme.
"""

import base64
import io
import math
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.ticker import MaxNLocator

from arena.evaluation.forgetting import Forgetting
from league.evaluation.tables import Record, Row

ANNOTATED = 16
"""The payoff matrix shows its numbers up to this many snapshots."""

MISSING = "–"
"""Stands in a table for what has not been measured."""


@dataclass(frozen=True)
class GateRow:
    """One gate, in words.

    Attributes:
      id: its number.
      candidate: who asked to pass.
      champion: who reigned.
      llr: log likelihood ratio and bounds.
      pairs: counts of the pairs of the test.
      flattered: by how much the choice flattered the candidate, in per cent; empty if there was
        nothing to choose.
      exam: in how many positions of known value the candidate keeps it, and the champion; empty if
        they were not asked.
      promoted: whether it passed.
      reason: why.
    """

    id: int
    candidate: str
    champion: str
    llr: str
    pairs: str
    flattered: str
    exam: str
    promoted: bool
    reason: str


@dataclass(frozen=True)
class Report:
    """Everything the page shows.

    Attributes:
      name: of the run.
      game: as a user types it.
      card: the run card: config, versions, device, seed; dicts may nest.
      rows: n snapshots, oldest first.
      payoff: f64[n, n], score in [0, 1] of row against column, NaN where they have not met.
      meetings: i64[n, n], games behind each.
      history: a generation each: `generation`, `loss`, `policy_loss`, `value_loss`,
        `games_per_s`, `seconds` (it took), `positions` (it trained on), `passes` (forward passes:
        `type_1` for training, `type_2` for measuring); any may be missing.
      board: SVG of a position, for decoration; may be empty.
      mcts: the tree search that snapshots are measured against.
      forgetting: every snapshot against every earlier one; None if that is not known.
      findings: what the games say of the ratings as a whole, name and words.
      alarms: what a person should look at, a line each.
      gates: those that have been decided, oldest first.
    """

    name: str
    game: str
    card: dict[str, object]
    rows: list[Row]
    payoff: np.ndarray
    meetings: np.ndarray
    history: list[dict[str, Any]]
    board: str = ""
    mcts: str = "mcts:100"
    forgetting: Forgetting | None = None
    findings: tuple[tuple[str, str], ...] = ()
    alarms: tuple[str, ...] = ()
    gates: tuple[GateRow, ...] = ()


@dataclass(frozen=True)
class Plot:
    """One figure of the page.

    Attributes:
      title: its heading.
      note: how to read it, or why it is empty.
      label: what it shows, for who cannot see it.
      svg: inline SVG, empty where there is nothing to draw.
      narrow: the same for a narrow screen; empty where `svg` does for all.
      legend: CSS variable and name of each line.
    """

    title: str
    note: str
    label: str = ""
    svg: str = ""
    narrow: str = ""
    legend: tuple[tuple[str, str], ...] = ()


def render(report: Report) -> str:
    """The page, as one string of HTML.

    Raises:
      ValueError: `payoff` or `meetings` is not n by n for n rows.
    """
    n = len(report.rows)
    for name, table in (("payoff", report.payoff), ("meetings", report.meetings)):
        if table.shape != (n, n):
            raise ValueError(f"{name} has shape {table.shape}, {n} rows need ({n}, {n})")
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("report.html").render(
        report=report,
        board=_embed(report.board),
        verdict=verdict(report.rows),
        numbers=_numbers(report),
        elo=_elo_plot(report.rows),
        uniform=_score_plot("uniform", "Raw network against uniform", report.rows),
        mcts=_score_plot("mcts", f"With search against {report.mcts}", report.rows),
        payoff=_payoff_plot(report),
        loss=_loss_plot(report.history),
        speed=_speed_plot(report.history),
        forgetting=_forgetting_plot(report),
        worst=_worst_plot(report),
        passes=_passes_plot(report.history),
        meta=any(row.melo is not None for row in report.rows),
        table=[_cells(row) for row in reversed(report.rows)],
        card=_sections(report.card),
    )


# ------------------------------------------------------------------------------ words and numbers


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
            f"No clear difference yet: snapshot {last.id} stands at {_signed(gain, digits)} "
            f"± {half:.{digits}f} Elo from snapshot {first.id} (95 %), an interval that includes 0."
        )
    side = "above" if gain > 0 else "below"
    return (
        f"Snapshot {last.id} stands {abs(gain):.{digits}f} ± {half:.{digits}f} Elo {side} "
        f"snapshot {first.id} (95 %)."
    )


def wilson(record: Record) -> tuple[float, float, float]:
    """Score and its 95 % interval, each in [0, 1], of at least one game.

    Wilson's interval with a draw as half a win, which is never too narrow for drawn games.
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    Raises:
      ValueError: no game was played.
    """
    won, drawn, _ = record
    n = sum(record)
    if n <= 0:
        raise ValueError("no games, no score")
    z = 1.959964
    p = (won + drawn / 2) / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


def _signed(x: float, digits: int = 0) -> str:
    text = f"{abs(x):.{digits}f}"
    if not text.strip("0."):
        return text
    return ("−" if x < 0 else "+") + text


def _minus(x: float) -> str:
    return str(round(x)).replace("-", "−")


def _elo(row: Row) -> str:
    if not math.isfinite(row.elo):
        return MISSING
    if row.half_width == 0:
        return _minus(row.elo)
    half = f"{row.half_width:.0f}" if math.isfinite(row.half_width) else "?"
    return f"{_minus(row.elo)} ± {half}"


def _count(x: float) -> str:
    return f"{x:,.0f}".replace(",", "\u202f")


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _numbers(report: Report) -> list[tuple[str, str]]:
    """The strip under the header: name and value of each total that is known."""
    games = int(np.triu(np.maximum(report.meetings, report.meetings.T), 1).sum())
    numbers = [("snapshots", _count(len(report.rows))), ("rated games", _count(games))]
    for key, name, text in (
        ("positions", "positions trained on", _count),
        ("seconds", "training time", _duration),
    ):
        values = _column(report.history, key)
        if np.isfinite(values).any():
            numbers.append((name, text(float(np.nansum(values)))))
    speeds = _column(report.history, "games_per_s")
    if np.isfinite(speeds).any():
        numbers.append(("games per second", _count(float(np.nanmedian(speeds)))))
    return numbers


def _column(history: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    """f64[generations]: NaN where the key is missing or its value is not finite."""
    values = np.array([float(entry.get(key, math.nan)) for entry in history], np.float64)
    return np.where(np.isfinite(values), values, math.nan)


def _cells(row: Row) -> dict[str, object]:
    return {
        "id": row.id,
        "elo": _elo(row),
        "games": _count(row.games),
        "uniform": _score(row.uniform),
        "mcts": _score(row.mcts),
        "melo": MISSING if row.melo is None else f"{row.melo:.0f}",
        "nash": MISSING if row.nash is None else f"{100 * row.nash:.1f}",
        "alpha_rank": MISSING if row.alpha_rank is None else f"{100 * row.alpha_rank:.1f}",
    }


def _score(record: Record | None) -> tuple[str, str]:
    """Score in per cent, and `W / D / L`."""
    if record is None or sum(record) == 0:
        return MISSING, ""
    return f"{100 * wilson(record)[0]:.1f}", " / ".join(map(_count, record))


def _sections(card: Mapping[str, object]) -> list[tuple[str, list[tuple[str, str]]]]:
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


# ------------------------------------------------------------------------------------------- plots

INK, MUTED, GRID, CARD, FIRST, SECOND, THIRD = (f"#{i:02x}{i:02x}{i:02x}" for i in range(1, 8))
STAND_INS = {
    INK: "ink",
    MUTED: "muted",
    GRID: "rule",
    CARD: "card",
    FIRST: "first",
    SECOND: "second",
    THIRD: "third",
}
"""Colour as matplotlib draws it, and the CSS variable that takes its place."""

WIDE, HALF, LOW, PAYOFF = (928, 300), (448, 232), (448, 208), (448, 474)
"""Width and height of the figures in CSS pixels."""

_BLUE, _RED = (0.18, 0.43, 0.71), (0.78, 0.36, 0.19)
BALANCE = LinearSegmentedColormap.from_list(
    "balance", [(0, (*_RED, 0.95)), (0.5, (*_RED, 0.0)), (0.5, (*_BLUE, 0.0)), (1, (*_BLUE, 0.95))]
).with_extremes(bad=(0.5, 0.5, 0.5, 0.16))
"""Scores from 0 to 1; an even score is transparent and so shows the card, light or dark."""

_DRAWING = threading.Lock()  # matplotlib reads its SVG options from a global
_PIXELS = 72  # matplotlib's SVG unit is 1/72 inch: with that resolution, a unit is a pixel


def _canvas(
    size: tuple[int, int], left: int = 44, bottom: int = 30, top: int = 14
) -> tuple[Figure, Axes]:
    """A figure with one pair of quiet axes, its margins in pixels."""
    width, height = size
    right = 12
    figure = Figure(figsize=(width / _PIXELS, height / _PIXELS), dpi=_PIXELS, frameon=False)
    axes = figure.add_axes(
        (
            left / width,
            bottom / height,
            (width - left - right) / width,
            (height - bottom - top) / height,
        ),
        frameon=False,
    )
    axes.tick_params(length=0, pad=7, labelsize=11, colors=MUTED)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    return figure, axes


def _span(axes: Axes, x: np.ndarray) -> None:
    """Room for the first and the last mark, or for the only one."""
    if x.size == 1:
        axes.set_xticks(x, [f"{x[0]:.0f}"])
    margin = max(0.5, 0.02 * (x.max() - x.min())) if x.size > 1 else 1.0
    axes.set_xlim(x.min() - margin, x.max() + margin)


_NOISE = (
    (r"(?s)^.*?<svg[^>]*>", ""),  # prolog, and a head with sizes and namespaces HTML does without
    (r"(?s)<metadata>.*?</metadata>|<!--.*?-->", ""),
    (r"(?s)<style.*?</style>", ""),  # would rule the whole page; the template has the like
    (r"xlink:href", "href"),
    (r" font-family: [^;\"]*;| transform=\"rotate\(-0 [^)]*\)\"", ""),
    (r"font: ([\d.]+px) [^;\"]*", r"font-size: \1"),
    (r"(?<=\d\.\d\d)\d+", ""),  # a hundredth of a pixel is plenty
    (r"\s*\n\s*", " "),
    (r"<g/>|<defs> *</defs>", ""),
    (r"> <", "><"),
)
"""What matplotlib writes and a page of HTML can spare: pattern and replacement."""


def _svg(figure: Figure, name: str, label: str) -> Markup:
    """The figure as inline SVG whose ids start with its name, so that none clash on a page."""
    buffer = io.StringIO()
    with _DRAWING, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    text = buffer.getvalue()
    for pattern, plain in _NOISE:
        text = re.sub(pattern, plain, text)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    text = re.sub(r"#(0[1-7])\1\1\b", lambda m: f"var(--{STAND_INS[m[0]]})", text)
    width, height = (figure.get_size_inches() * _PIXELS).round().astype(int)
    head = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}">')
    return head.format(label, width, height) + Markup(text)


def _embed(board: str) -> str:
    """A picture as a data URL: shown as an image, it can neither run a script nor fetch."""
    if not board.strip():
        return ""
    if "xmlns=" not in board:
        board = board.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return "data:image/svg+xml;base64," + base64.b64encode(board.encode()).decode()


def _elo_plot(rows: Sequence[Row]) -> Plot:
    title = "Elo by snapshot"
    rated = [row for row in rows if math.isfinite(row.elo)]
    if not rated:
        return Plot(title, "No snapshot has been rated yet.")
    first, last = rated[0], rated[-1]
    label = f"{title}: {_elo(first)} at snapshot {first.id}"
    if len(rated) > 1:
        label += f", {_elo(last)} at snapshot {last.id}"
    note = "Bars are 95 % intervals."
    if not all(math.isfinite(row.half_width) for row in rated):
        note += " Hollow: too few games for an interval."
    svg = _svg(_elo_figure(rated, WIDE), "elo", label)
    return Plot(title, note, label, svg, _svg(_elo_figure(rated, HALF), "elo-narrow", label))


def _elo_figure(rows: Sequence[Row], size: tuple[int, int]) -> Figure:
    x = np.array([row.id for row in rows], np.float64)
    y = np.array([row.elo for row in rows])
    half = np.array([row.half_width for row in rows])
    known = np.isfinite(half)
    figure, axes = _canvas(size)
    axes.axhline(0, color=MUTED, linewidth=1)
    axes.plot(x, y, color=FIRST, linewidth=1.5, alpha=0.35)
    _marks(axes, x[known], y[known], np.stack([half[known]] * 2), FIRST)
    axes.plot(x[~known], y[~known], "o", color=FIRST, fillstyle="none", markersize=6)
    _span(axes, x)
    low, high = axes.get_ylim()
    room = max(0.0, 100 - (high - low)) / 2  # no drama from differences of a few Elo
    axes.set_ylim(low - room, high + room)
    return figure


def _marks(axes: Axes, x: np.ndarray, y: np.ndarray, error: np.ndarray, colour: str) -> None:
    """Points with error bars; error: f64[2, points], below and above."""
    bars = [[(a, b - lo), (a, b + hi)] for a, b, lo, hi in zip(x, y, *error, strict=True)]
    if not bars:
        return
    axes.add_collection(LineCollection(bars, colors=colour, linewidths=1.5, capstyle="round"))
    axes.plot(x, y, "o", color=colour, markersize=7, markeredgecolor=CARD, markeredgewidth=1)
    axes.autoscale_view()


def _score_plot(key: str, title: str, rows: Sequence[Row]) -> Plot:
    records = [(row.id, getattr(row, key)) for row in rows]
    played = [(id, *wilson(record)) for id, record in records if record and sum(record)]
    if not played:
        return Plot(title, "Not played yet.")
    x, p, low, high = 100 * np.array(played, np.float64).T
    x = x / 100
    figure, axes = _canvas(HALF)
    axes.axhline(50, color=MUTED, linewidth=1)
    axes.plot(x, p, color=FIRST, linewidth=1.5, alpha=0.35)
    _marks(axes, x, p, np.stack([p - low, high - p]), FIRST)
    axes.set_ylim(-3, 103)
    axes.set_yticks([0, 25, 50, 75, 100])
    _span(axes, x)
    label = (
        f"{title}, score in per cent: {p[-1]:.1f} at snapshot {x[-1]:.0f}, "
        f"95 % interval {low[-1]:.1f} to {high[-1]:.1f}"
    )
    note = "Score in %, a draw counts half. Bars are 95 % intervals."
    return Plot(title, note, label, _svg(figure, key, label))


def _loss_plot(history: Sequence[Mapping[str, Any]]) -> Plot:
    lines = (
        ("loss", INK, "total"),
        ("policy_loss", FIRST, "policy"),
        ("value_loss", SECOND, "value"),
    )
    drawn = [
        (colour, name, values)
        for key, colour, name in lines
        if np.isfinite(values := _column(history, key)).any()
    ]
    if not drawn:
        return Plot("Loss by generation", "No generation has been recorded yet.")
    x = _generations(history)
    figure, axes = _canvas(LOW)
    for colour, _, values in drawn:
        marker = "o" if np.isfinite(values).sum() == 1 else ""
        axes.plot(x, values, color=colour, linewidth=1.75, marker=marker, markersize=5)
    axes.set_ylim(bottom=min(0.0, *(np.nanmin(values) for _, _, values in drawn)))
    _span(axes, x)
    ends = ", ".join(f"{name} {_last(values):.3g}" for _, name, values in drawn)
    label = f"Loss by generation, at the end: {ends}"
    legend = tuple((STAND_INS[colour], name) for colour, name, _ in drawn)
    svg = _svg(figure, "loss", label)
    return Plot("Loss by generation", "", label, svg, legend=legend)


def _speed_plot(history: Sequence[Mapping[str, Any]]) -> Plot:
    title = "Self-play speed"
    speed = _column(history, "games_per_s")
    if not np.isfinite(speed).any():
        return Plot(title, "No generation has been recorded yet.")
    x = _generations(history)
    figure, axes = _canvas(LOW)
    axes.fill_between(x, speed, color=THIRD, alpha=0.14, linewidth=0)
    axes.plot(
        x, speed, color=THIRD, linewidth=1.75, marker="o" if x.size == 1 else "", markersize=6
    )
    axes.set_ylim(0, 1.12 * max(np.nanmax(speed), 1e-9))
    axes.yaxis.set_major_formatter(lambda value, _: _count(value) if value >= 10 else f"{value:g}")
    _span(axes, x)
    label = f"{title} in games per second, by generation: {_last(speed):.0f} at the end"
    return Plot(title, "Games per second, by generation.", label, _svg(figure, "speed", label))


def _generations(history: Sequence[Mapping[str, Any]]) -> np.ndarray:
    given = _column(history, "generation")
    return np.where(np.isfinite(given), given, np.arange(len(history)))


def _last(values: np.ndarray) -> float:
    return float(values[np.isfinite(values)][-1])


def _payoff_plot(report: Report) -> Plot:
    title, n = "Who beats whom", len(report.rows)
    if n < 2:
        return Plot(title, "It takes two snapshots to meet.")
    annotated = n <= ANNOTATED
    payoff = np.where(np.eye(n, dtype=bool), 0.5, report.payoff)
    figure, axes = _canvas(PAYOFF, left=34, bottom=44, top=28)
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
    return Plot(title, note, label, _svg(figure, "payoff", label))


def _forgetting_plot(report: Report) -> Plot:
    """Who of the past beats whom: generations from left to right, their ancestors downwards."""
    title, found, n = "Forgetting", report.forgetting, len(report.rows)
    if found is None or n < 2:
        return Plot(title, "It takes two snapshots to forget.")
    annotated = n <= ANNOTATED
    score = np.where(np.tri(n, k=-1, dtype=bool), found.score, math.nan).T
    unmet = np.tri(n, k=-1, dtype=bool).T & np.isnan(score)
    figure, axes = _canvas(PAYOFF, left=34, bottom=44, top=28)
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
    return Plot(title, note, label, _svg(figure, "forgetting", label))


def _gaps(axes: Axes, n: int) -> None:
    """Gaps between n by n cells."""
    edges = np.arange(1, n) - 0.5
    axes.hlines(edges, -0.5, n - 0.5, colors=CARD, linewidth=1.5)
    axes.vlines(edges, -0.5, n - 0.5, colors=CARD, linewidth=1.5)


def _number(axes: Axes, score: np.ndarray) -> None:
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


def _worst_plot(report: Report) -> Plot:
    title, found = "Worst score against an ancestor", report.forgetting
    met = [] if found is None else [i for i, row in enumerate(found.score) if (row >= 0).any()]
    if found is None or not met:
        return Plot(title, "No snapshot has met an ancestor yet.")
    opponents = [int(np.nanargmin(found.score[i])) for i in met]
    x = np.array([report.rows[i].id for i in met], np.float64)
    y, half = 100 * found.score[met, opponents], 100 * found.half_width[met, opponents]
    figure, axes = _canvas(LOW)
    axes.axhline(50, color=MUTED, linewidth=1)
    error = np.stack([np.minimum(half, y), np.minimum(half, 100 - y)])
    _marks(axes, x, y, error, SECOND)
    axes.set_ylim(-3, 103)
    axes.set_yticks([0, 25, 50, 75, 100])
    _span(axes, x)
    label = (
        f"{title}, in per cent: {y[-1]:.1f} at snapshot {x[-1]:.0f}, "
        f"against snapshot {report.rows[opponents[-1]].id}"
    )
    note = "In %. The lowest of many is low by chance too: bars below 50 count."
    return Plot(title, note, label, _svg(figure, "worst", label))


def _passes_plot(history: Sequence[Mapping[str, Any]]) -> Plot:
    """The ledger: what training and measuring cost, generation by generation."""
    title = "Forward passes of networks"
    spent = [entry.get("passes") or {} for entry in history]
    if not any(spent):
        return Plot(title, "No generation has been recorded yet.")
    kinds = ((FIRST, "training", "type_1"), (THIRD, "measuring", "type_2"))
    x, floor = _generations(history), np.zeros(len(history))
    figure, axes = _canvas(LOW)
    for colour, _, kind in kinds:
        top = floor + np.array([float(one.get(kind, 0)) for one in spent])
        axes.fill_between(x, floor, top, color=colour, alpha=0.2, linewidth=0)
        axes.plot(x, top, color=colour, linewidth=1.75, marker="o" if x.size == 1 else "")
        floor = top
    axes.set_ylim(0, 1.12 * max(floor.max(), 1))
    axes.yaxis.set_major_formatter(lambda value, _: _short(value))
    _span(axes, x)
    totals = [sum(one.get(kind, 0) for one in spent) for _, _, kind in kinds]
    label = f"{title}: {totals[0]} in training, {totals[1]} in measuring"
    legend = tuple((STAND_INS[colour], name) for colour, name, _ in kinds)
    return Plot(title, "", label, _svg(figure, "passes", label), legend=legend)


def _short(value: float) -> str:
    """800, 25 k, 1.5 M, 2 G."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _paint(axes: Axes, scores: np.ndarray) -> None:
    axes.imshow(scores, cmap=BALANCE, vmin=0, vmax=1, interpolation="none", aspect="auto")


def _annotate(axes: Axes, payoff: np.ndarray) -> None:
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
