"""Tables in Markdown, and what several pages need."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines) + "\n"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def results(name: str) -> Any:
    """A file of `benchmarks/results`."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def title(name: str) -> str:
    """A game's name as a heading: Connect Four."""
    return name.replace("_", " ").title().replace("Liars", "Liar's")
