"""The page of an experiment: one file of HTML, with its plots inside, that opens without a network.

It is a pure function of the experiment's words and its result.json.
"""

from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from league.lab import charts
from league.lab.experiment import Experiment, Json
from league.lab.rows import FIGURE_COLUMNS, figure_rows, summary
from league.report import drawing, text
from league.report import page as report
from league.report.drawing import SERIES, STAND_INS, WIDE, Plot
from league.store.files import replacing


def write(path: Path, experiment: Experiment[Any], result: dict[str, Json]) -> None:
    """Writes the page, whole or not at all."""
    with replacing(path, "w") as file:
        file.write(render(experiment, result))


def render(experiment: Experiment[Any], result: dict[str, Json]) -> str:
    """The page, as one string of HTML; see `parts`."""
    card = {key: result[key] for key in ("settings", "began", "device", "versions", "revision")}
    return report.template("experiment.html", **parts(experiment, result), card=text.sections(card))


def parts(experiment: Experiment[Any], result: dict[str, Json]) -> dict[str, Any]:
    """What a page shows, by the names of its template.

    Args:
      experiment: whose words.
      result: what result.json holds.
    """
    return {
        "title": experiment.title,
        "chapter": experiment.chapter,
        "claim": experiment.claim,
        "summary": summary(result),
        "quick": result["quick"],
        "columns": FIGURE_COLUMNS,
        "figures": list(zip(result["figures"], figure_rows(result), strict=True)),
        "plots": plots(result),
        "tables": result["tables"],
        "sections": sections(experiment),
    }


def plots(result: dict[str, Json]) -> list[Plot]:
    """All plots of a result."""
    found = [charts.from_json(chart) for chart in result["charts"]]
    return [plot(f"{result['experiment']}-{n}", chart) for n, chart in enumerate(found)]


def plot(name: str, chart: charts.Chart) -> Plot:
    """One chart in the colours of the report; its ids begin with a name."""
    figure, axes = drawing.canvas(WIDE, left=64, bottom=46)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12))
    charts.draw(axes, chart, colours=SERIES, muted=drawing.MUTED)
    ends = ", ".join(f"{line.name} {line.y[-1]:.3g}" for line in chart.lines if line.y)
    label = f"{chart.title}, {chart.y} by {chart.x}; at the end: {ends}"
    legend = tuple(
        (STAND_INS[SERIES[n % len(SERIES)]], line.name) for n, line in enumerate(chart.lines)
    )
    svg = drawing.svg(figure, name, label)
    return Plot(chart.title, chart.note, label, svg, legend=legend)


def sections(experiment: Experiment[Any]) -> list[tuple[str, Markup]]:
    """Headings and texts of the experiment's page, as HTML."""
    # HTML in the text stays text; what is rendered is safe to show.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return [(head, Markup(markdown.render(body))) for head, body in experiment.sections.items()]
