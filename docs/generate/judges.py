"""Figures of judges that err, and of imported games, from files of `benchmarks/results`."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docs.generate import facts, plots
from league.evaluation import judge_parting

_TITLES = {
    "rules": "rules",
    "few": "256 comparisons",
    "many": "16,384 comparisons",
    "few_cut": "256, games cut",
    "many_cut": "16,384, games cut",
    "self": "self",
}


def tables() -> dict[str, str]:
    """The tables in Markdown, by the name of the place that each fills."""
    return {"gamed": _gamed(), "imported": _imported()}


def _lines(judge: str) -> list[dict[str, Any]]:
    """The runs by a judge, a seed each."""
    files = ("judges_cpu", "judges_cut_cpu")
    found = [line for name in files for line in facts.results(name)["lines"]]
    return [line for line in found if line["judge"] == judge]


def _gamed() -> str:
    """What became of the leagues, a row for each judge and seed."""
    head = [
        "judge",
        "seed",
        "who won, held-out",
        "being gamed first told",
        "largest excess",
        "by the judge then",
        "by the rules then",
        "both at the end",
        "optimal moves at the end",
    ]
    rows = [_row(line) for judge in _TITLES for line in _lines(judge)]
    return facts.table(head, rows)


def _row(line: dict[str, Any]) -> list[str]:
    curves, name = line["curves"], _TITLES[line["judge"]]
    optimal = _percent(curves["accuracy"][-1])
    if line["judge"] == "rules":
        return [name, str(line["seed"]), *[""] * 6, optimal]
    worst = int(np.argmax(curves["excess"]))
    judge, rules = curves["judge_first"], curves["rules_first"]
    told = next((x for x in line["alarms"] if x["p"] < judge_parting.ALPHA), None)
    return [
        name,
        str(line["seed"]),
        _percent(line["held_out"]["accuracy"]) if "held_out" in line else "",
        f"after generation {told['generation']}" if told else "never",
        f"{100 * curves['excess'][worst]:.0f} points in 100, generation {worst + 1}",
        _percent(judge[worst]),
        _percent(rules[worst]),
        f"{_percent(judge[-1])}, {_percent(rules[-1])}",
        optimal,
    ]


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def gamed() -> Figure:
    """Scores against the first policy by judge and rules, and optimal moves, by generation."""
    figure, all_axes = plots.grid(2, 3)
    figure.set_figheight(4.6)
    shown = [name for name in ("few", "many", "self", "few_cut", "many_cut") if _lines(name)]
    *panels, last = all_axes[: len(shown) + 1]
    for axes in all_axes[len(shown) + 1 :]:
        axes.set_axis_off()
    for axes, judge in zip(panels, shown, strict=True):
        lines = _lines(judge)
        for key, label, colour in (
            ("judge_first", "by the judge", plots.COLOURS[1]),
            ("rules_first", "by the rules", plots.COLOURS[0]),
        ):
            _curves(axes, [100 * np.array(x["curves"][key]) for x in lines], 1, label, colour)
        axes.set_ylim(0, 100)
        plots.titled(axes, _TITLES[judge], "generation", "% against the first policy")
    plots.legend(all_axes[0])
    for judge, colour in zip(("rules", "few", "many", "self"), plots.COLOURS, strict=True):
        shares = [100 * np.array(x["curves"]["accuracy"]) for x in _lines(judge)]
        _curves(last, shares, 0, _TITLES[judge], colour)
    plots.titled(last, "exact values", "generation", "% optimal moves")
    last.set_ylim(0, 60)
    plots.legend(last)
    return figure


def _curves(
    axes: Axes, runs: list[np.ndarray], first: int, label: str, colour: str | tuple[float, ...]
) -> None:
    """The mean of runs in bold, and each of them in pale."""
    number = np.arange(first, first + len(runs[0]))
    for run in runs:
        axes.plot(number, run, color=colour, alpha=0.3, linewidth=0.8)
    axes.plot(number, np.mean(runs, 0), color=colour, label=label)


def _imported() -> str:
    """Games of self-play until so many moves are optimal, from scratch and after imitation."""
    rows = [
        [
            _percent(one["target"]) if one["target"] else "as the other league ends",
            _games(one["scratch"], one["played"]),
            _games(one["imported"], one["played"]),
            _between(one["saved"], 0) if "saved" in one else "",
            _between(one["ratio"], 1) if "ratio" in one else "",
        ]
        for one in facts.results("imported_cpu")["compared"]
    ]
    head = [
        "optimal moves",
        "games from random weights",
        "games after imitation",
        "games saved (95 % interval)",
        "ratio (95 % interval)",
    ]
    return facts.table(head, rows)


def _games(counts: list[float | None], played: int) -> str:
    """Games seed by seed; where a target was not reached, that it took more than were played."""
    return ", ".join(f"> {played:,}" if one is None else f"{one:,.0f}" for one in counts)


def _between(found: list[float], digits: int) -> str:
    middle, *ends = (f"{x:,.{digits}f}" for x in found)
    return f"{middle} ({ends[0]} to {ends[1]})" if ends else middle
