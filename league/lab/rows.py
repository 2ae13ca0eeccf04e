"""The figures of a result as the rows of a table, on the terminal, the page and the site."""

import math
from typing import Any

from league.lab.estimates import shown
from league.lab.experiment import Json

FIGURE_COLUMNS = ("figure", "expected", "measured", "95 % interval", "source", "")
_READINGS = {"mean": "", "every": ", every seed", "interval": ", whole interval"}


def figure_rows(result: dict[str, Json]) -> list[tuple[str, ...]]:
    """A row for each figure; columns as in `FIGURE_COLUMNS`."""
    return [
        (
            figure["what"],
            figure["expected"] + _READINGS[figure["reading"]],
            shown(number(figure["value"])),
            interval(figure),
            figure["source"] + (f", {figure['reference']}" if figure["reference"] else ""),
            "pass" if figure["passed"] else "FAIL",
        )
        for figure in result["figures"]
    ]


def interval(figure: dict[str, Any]) -> str:
    """The interval of a figure, or the least and the largest of its seeds; empty without."""
    if figure["reading"] == "every" and len(figure["seeds"]) > 1:
        values = [number(value) for value in figure["seeds"]]
        return f"{shown(min(values))} … {shown(max(values))} over seeds"
    low, high = number(figure["low"]), number(figure["high"])
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{shown(low)} … {shown(high)}"


def number(value: float | None) -> float:
    """A number of a file of JSON, where null stands for none."""
    return math.nan if value is None else float(value)


def summary(result: dict[str, Json]) -> str:
    """How many figures are as expected, in a few words."""
    count = len(result["figures"])
    size = ", quick" if result["quick"] else ""
    return f"{result['passed']} of {count} as expected{size}"
