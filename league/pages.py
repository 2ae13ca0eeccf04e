"""The face of a finished run: its table, its JSON, its report."""

import dataclasses
from pathlib import Path

import jax

from arena import match
from league import console, summary
from league.pool import Run, replacing
from league.results import Results
from league.web import report as web


def show(run: Run, results: Results, report: Path | None, json: bool) -> None:
    """Prints the table of snapshots on stdout."""
    rows = summary.table(results)
    if json:
        console.emit(
            {
                "event": "result",
                "run": run.name,
                "game": run.card["game"],
                "snapshots": [dataclasses.asdict(row) for row in rows],
                "report": str(report) if report else None,
            }
        )
        return
    rule = run.config.measure
    console.table(
        f"{run.name}: {run.card['game']}",
        ["snapshot", "Elo", "± 95 %", "games", "uniform", f"mcts:{rule.rollouts}", "W/D/L"],
        [_cells(row) for row in rows],
    )
    console.stderr.print("Elo, uniform: the raw network, without search.")
    console.stderr.print(f"mcts:{rule.rollouts}: with {rule.simulations} simulations a move.")
    if report:
        console.stderr.print(f"report: {report}")


def _cells(row: summary.Row) -> list[str]:
    return [
        str(row.id),
        f"{row.elo:.0f}",
        f"{row.half_width:.0f}",
        str(row.games),
        f"{summary.score(row.uniform):.1%}" if row.uniform else "",
        f"{summary.score(row.mcts):.1%}" if row.mcts else "",
        "/".join(map(str, row.mcts)) if row.mcts else "",
    ]


def write(run: Run, results: Results) -> Path:
    """Writes `report.html` and returns its path."""
    payoff, meetings = summary.payoff(results)
    page = web.render(
        web.Report(
            name=run.name,
            game=run.card["game"],
            card=run.card,
            rows=summary.table(results),
            payoff=payoff,
            meetings=meetings,
            history=[event for event in results.events() if "loss" in event],
            board=_board(run),
            mcts=f"mcts:{run.config.measure.rollouts}",
        )
    )
    path = run.folder / "report.html"
    with replacing(path, "w") as file:
        file.write(page)
    return path


def _board(run: Run) -> str:
    """A picture of the game: a position after a few moves."""
    plies = min(run.game.max_plies // 4, 40)
    states = match.openings(run.game, jax.random.key(0), (1,), plies)
    return run.game.draw(jax.tree.map(lambda x: x[0], states))
