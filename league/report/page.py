"""The report of a run: one page of HTML, with its plots inside, that opens without a network.

`render` is a pure function: equal reports give equal text. The page fetches nothing and runs no
script; its content security policy says so to the browser.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from league.report import drawing, matrices, plots, text
from league.report.data import Report


def template(name: str, /, **values: object) -> str:
    """Fills a template of this folder; everything but markup is escaped."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(name).render(**values)


def render(report: Report) -> str:
    """The page, as one string of HTML.

    Raises:
      ValueError: `payoff` or `meetings` is not n by n for n rows.
    """
    return template("report.html", **parts(report))


def parts(report: Report) -> dict[str, Any]:
    """What the page shows, by the names of its template: plots, tables, texts.

    Raises:
      ValueError: `payoff` or `meetings` is not n by n for n rows.
    """
    n = len(report.rows)
    for name, table in (("payoff", report.payoff), ("meetings", report.meetings)):
        if table.shape != (n, n):
            raise ValueError(f"{name} has shape {table.shape}, {n} rows need ({n}, {n})")
    return {
        "report": report,
        "board": drawing.data_url(report.board),
        "verdict": text.verdict(report.rows),
        "numbers": text.totals(report),
        "elo": plots.elo(report.rows),
        "uniform": plots.score("uniform", "Raw network against uniform", report.rows),
        "mcts": plots.score("mcts", "With search against the ladder", report.rows),
        "exploitability": plots.exploitability(report.history),
        "judged": plots.judged(report.history),
        "payoff": matrices.payoff(report),
        "loss": plots.loss(report.history),
        "speed": plots.speed(report.history),
        "forgetting": matrices.forgetting(report),
        "worst": plots.worst(report),
        "passes": plots.passes(report.history),
        "meta": any(row.melo is not None for row in report.rows),
        "table": [text.cells(row) for row in reversed(report.rows)],
        "card": text.sections(report.card),
    }
