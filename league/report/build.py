"""Gathers what a run's report shows from its record, and writes the page."""

from pathlib import Path

import jax

from arena.play.openings import random_openings
from arena.types import as_host_game
from league.evaluation import compute_ledger, tables
from league.evaluation.leaderboard import Standing
from league.gate.store import Asked, Lineage
from league.report import data, page
from league.store.database import Results
from league.store.files import replacing
from league.store.run import Run


def write(run: Run, results: Results, standing: Standing) -> Path:
    """Writes `report.html` into the run's folder, in one step, and returns its path."""
    path = run.folder / "report.html"
    with replacing(path, "w") as file:
        file.write(page.render(gather(run, results, standing)))
    return path


def gather(run: Run, results: Results, standing: Standing) -> data.Report:
    """Everything that the page shows."""
    payoff, meetings = tables.payoff(results)
    return data.Report(
        name=run.name,
        game=run.card["game"],
        card=run.card,
        rows=tables.table(results, standing),
        payoff=payoff,
        meetings=meetings,
        history=data.history(results.events()),
        board=_board(run),
        mcts=f"mcts:{run.config.measure.rollouts}",
        forgetting=standing.forgetting,
        findings=_findings(standing, results),
        alarms=tuple(alarm.message for alarm in standing.alarms),
        gates=tuple(_gate(gate) for gate in Lineage(results).gates() if gate.body),
    )


def _findings(standing: Standing, results: Results) -> tuple[tuple[str, str], ...]:
    """Results about the pool as a whole, name and text."""
    first, fit, verdict = standing.ratings, standing.fit, standing.verdict
    passes = compute_ledger.spent(results)
    champions = Lineage(results).champions()
    return (
        ("Champion", ", ".join(map(str, champions)) or "none yet: arena gate decides"),
        ("Circles", verdict.words(standing.names)),
        ("First move", f"{first.first_move:+.0f} ± {first.first_move_half_width:.0f} Elo (95 %)"),
        ("Fit", f"deviance {fit.deviance:.0f}, {fit.dof} degrees of freedom, p = {fit.p:.2g}"),
        (
            "Forward passes",
            f"{passes['type_1']:,} for training (type 1), {passes['type_2']:,} for measuring and "
            "the gate (type 2)",
        ),
    )


def _gate(gate: Asked) -> data.GateRow:
    body = gate.body or {}
    lower, upper = body["test"]["bounds"]
    inflation = body["inflation"]
    flattered = (
        ""
        if inflation is None
        else (f"{100 * inflation:+.1f} ± {100 * body['inflation_half_width']:.1f}")
    )
    exam = body.get("exam")  # a gate of an older version has none
    return data.GateRow(
        gate.id,
        body["candidate"],
        body["champion"],
        f"{body['test']['llr']:z.2f} ({lower:.2f}, {upper:.2f})",
        " ".join(map(str, body["test"]["pairs"])),
        flattered,
        f"{exam['candidate']} : {exam['champion']} of {exam['positions']}" if exam else "",
        gate.verdict == "promoted",
        body["reason"],
    )


def _board(run: Run) -> str:
    """A picture of the game: a position after a few moves, SVG."""
    plies = min(run.game.max_plies // 4, 40)
    if outside := as_host_game(run.game):
        return outside.draw(outside.deal(jax.random.key(0), 1, plies).position(0).state)
    states = random_openings(run.game, jax.random.key(0), (1,), plies)
    return run.game.draw(jax.tree.map(lambda x: x[0], states))
