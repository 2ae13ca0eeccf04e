"""The face of a finished run: its table, its JSON, its report."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np

from arena.evaluation import score
from arena.play.openings import random_openings
from arena.types import as_host_game
from league.cli import console
from league.evaluation import compute_ledger, tables
from league.evaluation.leaderboard import Standing
from league.gate.store import Asked, Lineage
from league.report import page as web
from league.store.database import Results
from league.store.files import replacing
from league.store.run import Run
from league.training import best_response


def show(run: Run, results: Results, standing: Standing, report: Path | None, json: bool) -> None:
    """Prints the table of snapshots, and what is to be said of it, on stdout."""
    rows = tables.table(results, standing)
    exact = _exact(results)
    if json:
        console.emit(
            {
                "event": "result",
                "run": run.name,
                "game": run.card["game"],
                "snapshots": [dataclasses.asdict(row) for row in rows],
                **_figures(standing),
                **({"equilibrium": exact} if exact else {}),
                "report": str(report) if report else None,
            }
        )
        return
    rule = run.config.measure
    beside = ["mElo", "Nash", "α-rank"] if standing.meta else []
    head = ["snapshot", "Elo", "± 95 %", "games", *beside, "uniform", f"mcts:{rule.rollouts}"]
    console.table(
        f"{run.name}: {run.card['game']}", [*head, "W/D/L"], [_cells(row) for row in rows]
    )
    print("\n".join(_words(standing)))
    if exact:
        print(f"{run.name}:{exact.pop('snapshot')}: {best_response.describe(exact)}")
    console.stderr.print("Elo, uniform: the raw network, without search.")
    console.stderr.print(f"mcts:{rule.rollouts}: with {rule.simulations} simulations a move.")
    if report:
        console.stderr.print(f"report: {report}")


def _exact(results: Results) -> dict[str, Any]:
    """How far the newest snapshot and the pool are from an equilibrium, if that was measured."""
    keys = ("exploitability", "value", "pool_exploitability")
    last = next((e for e in reversed(results.events()) if keys[0] in e), None)
    return {"snapshot": last["generation"], **{k: last[k] for k in keys}} if last else {}


def _figures(standing: Standing) -> dict[str, Any]:
    """What is known beside the table, for programs."""
    names, verdict = standing.names, standing.verdict
    top = standing.top
    return {
        "anchor": names[int(np.argmin(standing.ratings.half_width))],
        "first_move": {
            "elo": standing.ratings.first_move,
            "half_width": standing.ratings.first_move_half_width,
        },
        "fit": dataclasses.asdict(standing.fit),
        "transitivity": {
            "transitive": verdict.transitive,
            "verdict": verdict.words(names),
            "cycle": [names[i] for i in verdict.cycle.players] if verdict.cycle else None,
            "cycle_p": verdict.cycle.p if verdict.cycle else None,
            "curl": dataclasses.asdict(verdict.curl),
        },
        "neighbours": [_meeting(names[i], names[i - 1], s) for i, s in standing.neighbours],
        "top": _meeting(names[top[0]], names[top[1]], top[2]) if top else None,
        "forgetting": dataclasses.asdict(standing.forgetting),
        "alarms": [dataclasses.asdict(alarm) for alarm in standing.alarms],
    }


def _meeting(a: str, b: str, found: score.Score) -> dict[str, Any]:
    return {"a": a, "b": b, **dataclasses.asdict(found)}


def _words(standing: Standing) -> list[str]:
    """What is known beside the table, in lines."""
    names, fit = standing.names, standing.fit
    lines = [
        f"first move: {standing.ratings.first_move:+.0f}"
        f" ± {standing.ratings.first_move_half_width:.0f} Elo (95 %)",
        f"fit: deviance {fit.deviance:.0f}, {fit.dof} degrees of freedom, p = {fit.p:.2g}",
        standing.verdict.words(names),
    ]
    if standing.neighbours:
        later, found = standing.neighbours[-1]
        lines.append(f"newest: {_line(names[later], names[later - 1], found)}")
    if standing.top:
        first, second, found = standing.top
        lines.append(f"best two: {_line(names[first], names[second], found)}")
    return lines + [f"alarm: {alarm.message}" for alarm in standing.alarms]


def _line(a: str, b: str, found: score.Score) -> str:
    """One meeting, as engine testers write it."""
    pairs = "" if found.pairs is None else f", Ptnml(0-2): {list(found.pairs)}"
    return (
        f"{a} against {b}: {found.score:.1%} ± {found.half_width:.1%}, nElo {found.nelo:+.0f}"
        f" ± {found.nelo_half_width:.0f}, LOS {found.los:.1%}{pairs}"
    )


def _cells(row: tables.Row) -> list[str]:
    beside = (
        [] if row.melo is None else [f"{row.melo:.0f}", f"{row.nash:.1%}", f"{row.alpha_rank:.1%}"]
    )
    return [
        str(row.id),
        f"{row.elo:.0f}",
        f"{row.half_width:.0f}",
        str(row.games),
        *beside,
        f"{tables.score(row.uniform):.1%}" if row.uniform else "",
        f"{tables.score(row.mcts):.1%}" if row.mcts else "",
        "/".join(map(str, row.mcts)) if row.mcts else "",
    ]


def write(run: Run, results: Results, standing: Standing) -> Path:
    """Writes `report.html` and returns its path."""
    payoff, meetings = tables.payoff(results)
    page = web.render(
        web.Report(
            name=run.name,
            game=run.card["game"],
            card=run.card,
            rows=tables.table(results, standing),
            payoff=payoff,
            meetings=meetings,
            history=[event for event in results.events() if "loss" in event],
            board=_board(run),
            mcts=f"mcts:{run.config.measure.rollouts}",
            forgetting=standing.forgetting,
            findings=_findings(standing, results),
            alarms=tuple(alarm.message for alarm in standing.alarms),
            gates=tuple(_gate(gate) for gate in Lineage(results).gates() if gate.body),
        )
    )
    path = run.folder / "report.html"
    with replacing(path, "w") as file:
        file.write(page)
    return path


def _findings(standing: Standing, results: Results) -> tuple[tuple[str, str], ...]:
    """What the games say beside the plots, name and words."""
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


def _gate(gate: Asked) -> web.GateRow:
    body = gate.body or {}
    lower, upper = body["test"]["bounds"]
    inflation = body["inflation"]
    flattered = (
        ""
        if inflation is None
        else (f"{100 * inflation:+.1f} ± {100 * body['inflation_half_width']:.1f}")
    )
    exam = body.get("exam")  # a gate of an older version has none
    return web.GateRow(
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
    """A picture of the game: a position after a few moves."""
    plies = min(run.game.max_plies // 4, 40)
    if outside := as_host_game(run.game):
        return outside.draw(outside.deal(jax.random.key(0), 1, plies).position(0).state)
    states = random_openings(run.game, jax.random.key(0), (1,), plies)
    return run.game.draw(jax.tree.map(lambda x: x[0], states))
