"""The page of the nets that come with Arena, from `benchmarks/results/nets_cpu.json`."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from docs.generate import facts, plots
from league.store import pretrained

_COLUMNS = 3


def runs() -> list[dict[str, Any]]:
    """What is known of the nets that there are, by game."""
    there = pretrained.files()
    found = facts.results("nets_cpu")["runs"]
    return [run for run in found if pretrained.file(run["game"]) in there]


def tables() -> dict[str, str]:
    """The tables in Markdown, by the name of the place that each fills."""
    return {"nets": _made(), "scores": _scores()}


def _made() -> str:
    rows = [
        (
            f"`{run['game']}`",
            f"`{run['command']}`",
            f"{run['seconds'] / 60:.0f}",
            f"{run['games']:,}",
            f"{run['positions']:,}",
            f"{run['evaluations']:,}",
            f"{run.get('kind', 'resnet')} {_size(run['network'])}",
            f"{run['bytes'] / 1e3:.0f} kB",
        )
        for run in runs()
        if "command" in run
    ]
    head = ["game", "made by", "minutes", "games", "positions", "evaluations", "network", "file"]
    return facts.table(head, rows)


def _size(network: dict[str, int]) -> str:
    return "×".join(map(str, network.values()))


def _scores() -> str:
    rows = [
        (f"`{run['game']}`", opponent, _player(result["a"]), _score(result), _record(result))
        for run in runs()
        for opponent, result in run["scores"].items()
    ]
    return facts.table(["game", "opponent", "net", "score", "W / D / L"], rows)


def _player(name: str) -> str:
    return name.partition(",simulations=")[2] + " simulations" if "," in name else "raw"


def _score(result: dict[str, float]) -> str:
    return f"{100 * result['score']:.1f} ± {100 * result['half_width']:.1f} %"


def _record(result: dict[str, int]) -> str:
    return " / ".join(str(result[key]) for key in ("wins", "draws", "losses"))


def curves() -> Figure:
    """Elo above the first snapshot against minutes of training, a panel a game."""
    found = [run for run in runs() if "curve" in run]
    rows = -(-len(found) // _COLUMNS)
    figure, axes = plots.grid(rows, _COLUMNS)
    for place, run in zip(axes, found, strict=False):
        curve = {key: np.array(values, float) for key, values in run["curve"].items()}
        low, high = curve["elo"] - curve["half_width"], curve["elo"] + curve["half_width"]
        place.fill_between(curve["minutes"], low, high, color=plots.COLOURS[0], alpha=0.25)
        place.plot(curve["minutes"], curve["elo"], color=plots.COLOURS[0])
        plots.titled(place, run["game"], x="minutes", y="Elo")
    for place in axes[len(found) :]:
        place.set_visible(False)
    return figure
