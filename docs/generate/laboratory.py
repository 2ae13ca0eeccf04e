"""The laboratory's pages: a page an experiment, from its words and its last full result."""

import re
from functools import cache
from typing import Any

from docs.generate import facts, plots
from league.lab import charts, names, rows, store
from league.lab.experiment import Chapter, Experiment, Json
from league.report.text import duration

_FOLDER = facts.RESULTS / "laboratory"
_HEIGHT = 3.0
WRITING = "laboratory/writing-an-experiment.md"
"""The page on writing one, which is the README of `league/lab`."""


@cache
def experiments() -> dict[str, Experiment[Any]]:
    """Those that come with Arena, by name, chapter by chapter."""
    found = sorted(
        (names.find(name) for name in names.own()),
        key=lambda one: (list(Chapter).index(one.chapter), one.name),
    )
    return {one.name: one for one in found}


@cache
def result(name: str) -> dict[str, Json] | None:
    """The last full result of an experiment; None if none is kept."""
    path = _FOLDER / f"{name}.json"
    return store.read_result(path) if path.exists() else None


def paths() -> list[str]:
    """All pages, in the order of the navigation."""
    return ["laboratory/index.md", *(f"laboratory/{name}.md" for name in experiments()), WRITING]


def pages() -> dict[str, str]:
    """The generated pages in Markdown, and their plots as SVG, by their paths."""
    made = {WRITING: (facts.ROOT / "league" / "lab" / "README.md").read_text()}
    for name, one in experiments().items():
        made[f"laboratory/{name}.md"] = page(one)
        for number, chart in enumerate(_charts(name)):
            made[f"images/laboratory/{name}-{number}.svg"] = picture(chart)
    return made


def page(one: Experiment[Any]) -> str:
    """The page of an experiment."""
    found = result(one.name)
    parts = [f"# {one.title}", f"**{one.claim}**", f"```sh\narena lab {one.name}\n```"]
    sections = dict(one.sections)
    for head in ("Method", "Expected", "Refuted by"):
        parts += [f"## {head}", sections.pop(head)]
    parts += ["## Measured", _measured(one.name, found)]
    for head, body in sections.items():
        parts += [f"## {head}", body]
    return "\n\n".join(parts) + "\n"


def _measured(name: str, found: dict[str, Json] | None) -> str:
    """Figures, plots and tables of the last full result."""
    if found is None:
        return "Not run at full size yet."
    parts = [_summary(found), figures(found)]
    for number, chart in enumerate(_charts(name)):
        parts.append(f"![{chart.title}](../images/laboratory/{name}-{number}.svg)")
        parts += [chart.note] if chart.note else []
    for table in found["tables"]:
        parts += [f"**{table['title']}** {table['note']}".strip()]
        parts.append(facts.table(table["columns"], table["rows"]))
    return "\n\n".join(parts)


def _summary(found: dict[str, Json]) -> str:
    versions = ", ".join(f"{key} {value}" for key, value in found["versions"].items())
    return (
        f"{rows.summary(found).capitalize()}. {found['settings']['seeds']} seeds, "
        f"{duration(found['seconds'])} on {found['device']}; {versions}."
    )


def figures(found: dict[str, Json]) -> str:
    """The expected beside the measured; what is not as expected is set in bold."""
    lines = []
    for figure, cells in zip(found["figures"], rows.figure_rows(found), strict=True):
        what = cells[0] + (f"<br><small>{figure['note']}</small>" if figure["note"] else "")
        verdict = "pass" if figure["passed"] else "**fail**{ .failed }"
        lines.append((what, *cells[1:-1], verdict))
    return facts.table([*rows.FIGURE_COLUMNS[:-1], " "], lines)


def _charts(name: str) -> list[charts.Chart]:
    found = result(name)
    return [charts.from_json(chart) for chart in found["charts"]] if found else []


def picture(chart: charts.Chart) -> str:
    """A chart as SVG, legible on white and on black."""
    figure, axes = plots.single(_HEIGHT)
    charts.draw(axes, chart, colours=plots.COLOURS, muted=plots.INK)
    plots.titled(axes, chart.title, chart.x, chart.y)
    plots.legend(axes)
    return plots.as_svg(figure)


def front() -> dict[str, str]:
    """What the front page's placeholders stand for."""
    lines = []
    for name, one in experiments().items():
        found = result(name)
        told = rows.summary(found) if found else "not run at full size yet"
        lines.append((f"[`{name}`]({name}.md)", str(one.chapter), one.claim, told))
    return {"experiments": facts.table(["experiment", "question", "claim", "figures"], lines)}


def linked(markdown: str) -> str:
    """Links to experiments, `[text](lab:name)`, as links, or as the text where there is none."""

    def link(found: re.Match[str]) -> str:
        text, name = found.groups()
        return f"[{text}]({name}.md)" if name in experiments() else text

    return re.sub(r"\[([^\]]+)\]\(lab:(\w+)\)", link, markdown)
