"""How figures are drawn: axes, colours, error bars, and inline SVG without ids that clash.

Plots are drawn by matplotlib in stand-in colours, which become CSS variables, so that they follow
the light or dark theme of the page.
"""

import base64
import io
import re
import threading
from dataclasses import dataclass

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Plot:
    """One figure of the page.

    Attributes:
      title: its heading.
      note: how to read it, or why it is empty.
      label: what it shows, for readers who cannot see it.
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


_VARIABLES = ("ink", "muted", "rule", "card", "first", "second", "third")
_GREYS = [f"#{i:02x}{i:02x}{i:02x}" for i in range(1, 16)]
INK, MUTED, GRID, CARD, FIRST, SECOND, THIRD = _GREYS[:7]
SERIES = tuple(_GREYS[7:])
"""Eight colours for as many lines of equal rank."""

STAND_INS = dict(
    zip(_GREYS, (*_VARIABLES, *(f"series-{i + 1}" for i in range(len(SERIES)))), strict=True)
)
"""Colour as matplotlib draws it, and the CSS variable that takes its place."""


WIDE, HALF, LOW, PAYOFF = (928, 300), (448, 232), (448, 208), (448, 474)
"""Width and height of the figures in CSS pixels."""


_DRAWING = threading.Lock()  # matplotlib reads its SVG options from a global
_PIXELS = 72  # matplotlib's SVG unit is 1/72 inch: with that resolution, a unit is a pixel


def canvas(
    size: tuple[int, int], *, left: int = 44, bottom: int = 30, top: int = 14
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


def fit_x(axes: Axes, x: Floats) -> None:
    """Room for the first and the last mark, or for the only one."""
    if x.size == 1:
        axes.set_xticks(x, [f"{x[0]:.0f}"])
    margin = max(0.5, 0.02 * (x.max() - x.min())) if x.size > 1 else 1.0
    axes.set_xlim(x.min() - margin, x.max() + margin)


def error_bars(axes: Axes, x: Floats, y: Floats, *, error: Floats, colour: str) -> None:
    """Points f64[points] with error bars; error: f64[2, points], below and above."""
    bars = [[(a, b - lo), (a, b + hi)] for a, b, lo, hi in zip(x, y, *error, strict=True)]
    if not bars:
        return
    axes.add_collection(LineCollection(bars, colors=colour, linewidths=1.5, capstyle="round"))
    axes.plot(x, y, "o", color=colour, markersize=7, markeredgecolor=CARD, markeredgewidth=1)
    axes.autoscale_view()


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


def svg(figure: Figure, name: str, label: str) -> Markup:
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
    text = re.sub(r"#(0[1-9a-f])\1\1\b", lambda m: f"var(--{STAND_INS[m[0]]})", text)
    width, height = (figure.get_size_inches() * _PIXELS).round().astype(int)
    head = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}">')
    return head.format(label, width, height) + Markup(text)


def data_url(board: str) -> str:
    """A picture as a data URL: shown as an image, it can neither run a script nor fetch."""
    if not board.strip():
        return ""
    if "xmlns=" not in board:
        board = board.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return "data:image/svg+xml;base64," + base64.b64encode(board.encode()).decode()
