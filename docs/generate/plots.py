"""The plots of the benchmarks' page, from the files in `benchmarks/results`."""

import io
from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from docs.generate import facts, speeds

INK = "#7d8590"  # legible on white and on black
COLOURS = ("#4c8bd0", "#d07f4c", "#5fa868", "#a873b8")


def pictures() -> dict[str, str]:
    """All plots as SVG, by the name of their file without its suffix."""
    makers: tuple[Callable[[], Figure], ...] = (
        rules,
        searches,
        sides,
        networks,
        leagues,
        equilibria,
        moves,
    )
    return {maker.__name__: as_svg(maker()) for maker in makers}


def as_svg(figure: Figure) -> str:
    """A figure as text; equal figures give equal text."""
    buffer = io.StringIO()
    # The salt and the missing date make equal figures equal text.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "arena"}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return buffer.getvalue()


def _axes(height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(8, height), frameon=False, layout="constrained")
    found = figure.subplots(1, columns, squeeze=False)[0]
    for axes in found:
        _quiet(axes)
    return figure, list(found)


def _quiet(axes: Axes) -> None:
    axes.patch.set_alpha(0)
    axes.tick_params(which="both", colors=INK, labelsize=9, length=0)
    axes.grid(color=INK, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def single(height: float) -> tuple[Figure, Axes]:
    """One wide panel, its height in inches."""
    figure, (axes,) = _axes(height)
    return figure, axes


def grid(rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    """Small panels, row by row."""
    figure = Figure(figsize=(8, 1.9 * rows), frameon=False, layout="constrained")
    found = figure.subplots(rows, columns, squeeze=False).reshape(-1).tolist()
    for axes in found:
        _quiet(axes)
    return figure, found


def titled(axes: Axes, title: str, x: str = "", y: str = "") -> None:
    """Heading and labels of the axes."""
    axes.set_title(title, color=INK, fontsize=10, loc="left")
    axes.set_xlabel(x, color=INK, fontsize=9)
    axes.set_ylabel(y, color=INK, fontsize=9)


def legend(axes: Axes) -> None:
    """Names of the lines."""
    axes.legend(frameon=False, labelcolor=INK, fontsize=9)


def rules() -> Figure:
    """How many times as fast as pgx and OpenSpiel the rules are, game by game, with spreads."""
    found = {name: s for name, s in speeds.speeds().items() if s.pgx or s.openspiel}
    names = sorted(found, key=lambda name: found[name].bare, reverse=True)
    figure, (axes,) = _axes(6.5)
    for peer, label, colour in zip(speeds.PEERS, ("pgx", "OpenSpiel"), COLOURS, strict=False):
        shift = -0.17 if peer == "pgx" else 0.17
        rows = [(i + shift, r) for i, n in enumerate(names) if (r := getattr(found[n], peer))]
        place, ratios = zip(*rows, strict=True)
        middle, low, high = np.array(ratios).T
        axes.errorbar(
            middle, place, xerr=[middle - low, high - middle], fmt="o", color=colour, label=label
        )
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    titled(axes, "Random play on one core, × as fast as", "ratio of medians, and its spread")
    legend(axes)
    return figure


def _ratio_lines() -> list[dict[str, Any]]:
    return [line for line in facts.results("search_cpu")["lines"] if "ratio_mctx" in line]


def searches() -> Figure:
    """The ratio to mctx by simulations, a line for each game and recipe at batch 64."""
    figure, all_axes = _axes(3.4, 2)
    for axes, recipe in zip(all_axes, ("gumbel", "puct"), strict=True):
        lines = [x for x in _ratio_lines() if x["recipe"] == recipe and x["batch"] == 64]
        games = list(dict.fromkeys(line["game"] for line in lines))
        for game, colour in zip(games, COLOURS, strict=True):
            points = [(x["simulations"], x["ratio_mctx"]) for x in lines if x["game"] == game]
            axes.plot(*zip(*sorted(points), strict=True), "o-", color=colour, label=game)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([32, 128, 800], ["32", "128", "800"])
        axes.minorticks_off()
        titled(axes, f"{recipe}, batch 64, × as fast as mctx", "simulations a move")
    legend(all_axes[0])
    return figure


def _bars(axes: Axes, names: Sequence[str], values: Sequence[float], digits: int = 0) -> None:
    colours = [COLOURS[0], *["#9aa4af"] * (len(names) - 1)]
    bars = axes.barh(range(len(names)), values, color=colours, height=0.6)
    labels = [f"{value:,.{digits}f}" for value in values]
    axes.bar_label(bars, labels, color=INK, fontsize=9, padding=4)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.18)


def sides() -> Figure:
    """Games a second: self-play, tournaments, and steps of an imported env, beside others."""
    play = {x["who"]: x for x in facts.results("selfplay_cpu")["lines"] if "who" in x}
    pool = {x["who"]: x for x in facts.results("tournament_cpu")["lines"] if "who" in x}
    env = facts.results("pettingzoo")[0]["steps_per_s"]
    figure, (first, second, third) = _axes(2.2, 3)
    _bars(first, ["Arena", "mctx, pgx"], [play[w]["games_per_s"] for w in ("arena", "mctx")], 1)
    titled(first, "Self-play, games a second")
    _bars(
        second,
        ["Arena", "OpenSpiel", "PettingZoo"],
        [pool[who]["games_per_s"] for who in ("arena", "openspiel", "pettingzoo")],
    )
    titled(second, "Tournament, games a second")
    _bars(third, ["Arena", "PettingZoo"], [env["arena"], env["pettingzoo"]])
    titled(third, "tictactoe-v3, steps a second")
    return figure


def networks() -> Figure:
    """Boards a second of the tower by how its convolutions are written, on two cores."""
    figure, all_axes = _axes(3.2, 2)
    found = [x for x in facts.results("networks_cpu")["lines"] if x["cores"] == 2]
    forms = list(dict.fromkeys(line["form"] for line in found))
    for axes, way in zip(all_axes, ("forward", "gradient"), strict=True):
        batches = sorted({line["batch"] for line in found if line["pass"] == way})
        for batch, colour in zip(batches, COLOURS, strict=False):
            speed = {
                line["form"]: line["boards_per_s"]
                for line in found
                if line["pass"] == way and line["batch"] == batch
            }
            place = [i for i, form in enumerate(forms) if form in speed]
            axes.plot([speed[forms[i]] for i in place], place, "o", color=colour, label=f"{batch}")
        axes.set_yticks(range(len(forms)), forms)
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        titled(axes, f"{way}, boards a second, by batch")
    legend(all_axes[1])
    return figure


def leagues() -> Figure:
    """Elo, a rival's score and the worst score against an ancestor, by arm and seed."""
    lines = [x for x in facts.results("league_cpu")["lines"] if "seed" in x]
    arms = list(dict.fromkeys(line["arm"] for line in lines))
    figure, all_axes = _axes(2.6, 3)
    shown = (("elo", "Elo"), ("rival_score", "Score of a rival"), ("past_worst", "Worst score"))
    for axes, (key, title) in zip(all_axes, shown, strict=True):
        for i, arm in enumerate(arms):
            values = [line[key] for line in lines if line["arm"] == arm]
            axes.plot(values, [i] * len(values), "o", color=COLOURS[i], alpha=0.8)
            axes.plot([mean(values)] * 2, [i - 0.3, i + 0.3], color=COLOURS[i])
        axes.set_yticks(range(len(arms)), arms if axes is all_axes[0] else [""] * len(arms))
        axes.set_ylim(len(arms) - 0.5, -0.5)
        axes.set_xlim(left=0)
        titled(axes, title)
    return figure


def equilibria() -> Figure:
    """Exploitability by games played, a line a seed."""
    figure, all_axes = _axes(3.2, 2)
    lines = [line for line in facts.results("poker_cpu")["lines"] if line["who"] == "arena"]
    for axes, game in zip(all_axes, ("kuhn_poker", "leduc_poker"), strict=True):
        for line in (line for line in lines if line["game"] == game):
            games, _, alone, _ = np.array(line["curve"]["rows"], float).T
            colour = COLOURS[line["seed"]]
            axes.plot(games / 1e6, alone, color=colour, label=f"seed {line['seed']}")
        axes.set_yscale("log")
        titled(axes, game, "million games", "exploitability, chips")
    legend(all_axes[1])
    return figure


def moves() -> Figure:
    """Share of labelled positions in which a move keeps the value of Connect Four."""
    figure, (axes,) = _axes(2.4)
    quick = facts.results("strength_cpu")["runs"][0]
    long = facts.results("strength_30min_cpu")
    rows = []
    for name, run in (("140 s", quick), ("23 minutes", long)):
        for label, key in (("raw", "judged_raw"), ("64 simulations", "judged_search_64")):
            every = run[key]["fixed"]["every"]
            rows.append((f"{name}, {label}", 100 * every["share"], 100 * every["half_width"]))
    names, shares, errors = zip(*rows, strict=True)
    axes.errorbar(shares, range(len(names)), xerr=errors, fmt="o", color=COLOURS[0], capsize=3)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    titled(axes, "Positions of Connect Four in which the move keeps the value, %")
    return figure
