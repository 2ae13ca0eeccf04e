"""Gathers what a run's report shows from its record, and writes the page."""

from pathlib import Path

import jax

from arena.evaluation import scale
from arena.play.openings import random_openings
from arena.types import as_host_game
from league.evaluation import judge_parting, tables
from league.evaluation.leaderboard import Leaderboard
from league.gate.store import GateRecord, Lineage, passes_spent
from league.report import data, page, selection_page
from league.store.database import Results
from league.store.files import replacing
from league.store.run import Run


def write(run: Run, results: Results, standing: Leaderboard) -> Path:
    """Writes `report.html` into the run's folder, in one step, and returns its path."""
    path = run.folder / "report.html"
    with replacing(path, "w") as file:
        file.write(page.render(gather(run, results, standing)))
    return path


def gather(run: Run, results: Results, standing: Leaderboard, *, board: bool = True) -> data.Report:
    """Everything that the page shows.

    Args:
      run: the run.
      results: its record.
      standing: its leaderboard.
      board: whether a picture of the game is drawn, which takes its compiled rules.
    """
    payoff, meetings = tables.payoff(results)
    return data.Report(
        name=run.name,
        game=run.card["game"],
        card=run.card,
        rows=tables.table(results, standing),
        payoff=payoff,
        meetings=meetings,
        history=data.history(results.events()),
        board=_board(run) if board else "",
        forgetting=standing.forgetting,
        findings=_findings(run, standing, results),
        alarms=_messages(standing, "alarm") + judge_parting.alarms(results.events()),
        notes=_messages(standing, "note"),
        gates=tuple(_gate(gate) for gate in Lineage(results).gates() if gate.verdict),
    )


def _findings(run: Run, standing: Leaderboard, results: Results) -> tuple[tuple[str, str], ...]:
    """Results about the pool as a whole, name and text."""
    first, fit, verdict = standing.ratings, standing.fit, standing.verdict
    passes = passes_spent(results)
    champions = Lineage(results).champions()
    return (
        ("Scale", f"{scale.IN_WORDS}."),
        ("Champion", ", ".join(map(str, champions)) or "none yet: arena gate decides"),
        ("Circles", verdict.describe(standing.names)),
        ("First move", f"{first.first_move:+z.0f} ± {first.first_move_half_width:.0f} Elo (95 %)"),
        ("Fit", f"chi-square {fit.chi_square:.0f}, {fit.dof} degrees of freedom, p = {fit.p:.2g}"),
        (
            "Forward passes",
            f"{passes['type_1']:,} for training (type 1), {passes['type_2']:,} for measuring and "
            "the gate (type 2)",
        ),
        *judge_parting.describe(results.events()),
        *_pages(run),
    )


def _pages(run: Run) -> tuple[tuple[str, str], ...]:
    """The pages beside the report of what generations learnt from, if some were written."""
    found = [path for number in run.snapshots.numbers() if (path := _page(run, number)).exists()]
    if not found:
        return ()
    return (("Data", "what generations learnt from: " + ", ".join(path.name for path in found)),)


def _page(run: Run, generation: int) -> Path:
    return run.folder / selection_page.file_name(generation)


def _messages(standing: Leaderboard, level: str) -> tuple[str, ...]:
    return tuple(alarm.message for alarm in standing.alarms if alarm.level == level)


def _gate(gate: GateRecord) -> data.GateRow:
    verdict = gate.verdict
    assert verdict is not None
    lower, upper = verdict.test.bounds
    accuracy, inflation = verdict.accuracy, verdict.inflation
    return data.GateRow(
        gate.id,
        verdict.candidate,
        verdict.champion,
        f"{verdict.test.llr:z.2f} ({lower:.2f}, {upper:.2f})",
        " ".join(map(str, verdict.test.pairs)),
        f"{100 * inflation[0]:+.1f} ± {100 * inflation[1]:.1f}" if inflation else "",
        f"{accuracy.candidate} : {accuracy.champion} of {accuracy.positions}" if accuracy else "",
        verdict.promoted,
        verdict.reason + (f" (by {verdict.judge})" if verdict.judge != "rules" else ""),
    )


def _board(run: Run) -> str:
    """A picture of the game: a position after a few moves, SVG."""
    plies = min(run.game.max_plies // 4, 40)
    if outside := as_host_game(run.game):
        return outside.draw_described(outside.deal(jax.random.key(0), 1, plies), 0)
    states = random_openings(run.game, jax.random.key(0), shape=(1,), plies=plies)
    return run.game.draw(jax.tree.map(lambda x: x[0], states))
