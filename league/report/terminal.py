"""The result of a run on the terminal: its table for people, or one JSON object."""

import dataclasses
from pathlib import Path

import numpy as np

from arena.evaluation import scale, score
from league.cli import console
from league.evaluation import judge_parting, tables
from league.evaluation.leaderboard import Leaderboard
from league.settings.json_object import JsonObject
from league.store.database import Results
from league.store.run import Run
from league.training import best_response


def show(
    run: Run, results: Results, standing: Leaderboard, *, report: Path | None, json: bool
) -> None:
    """Prints the table of snapshots, and the findings about the pool, on stdout.

    Args:
      run: the run.
      results: its record.
      standing: of the record.
      report: where its page lies, to be named; None if it was not written.
      json: print one JSON object instead.
    """
    rows = tables.table(results, standing)
    exact = _exact(results)
    judged = judge_parting.as_json(results.events())
    if json:
        console.emit(
            {
                "event": "result",
                "run": run.name,
                "game": run.card["game"],
                "snapshots": [dataclasses.asdict(row) for row in rows],
                **_figures(standing),
                **({"equilibrium": exact} if exact else {}),
                **({"judge": judged} if judged else {}),
                "report": str(report) if report else None,
            }
        )
        return
    rule = run.config.measure
    beside = ["mElo", "Nash", "α-rank"] if standing.meta else []
    head = ["snapshot", "Elo", "± 95 %", "games", *beside, "uniform", "with search"]
    console.table(
        f"{run.name}: {run.card['game']}\n{scale.IN_WORDS}",
        [*head, "W/D/L"],
        [_cells(row) for row in rows],
    )
    print("\n".join(_describe(standing)))
    if exact:
        print(f"{run.name}:{exact.pop('snapshot')}: {best_response.describe(exact)}")
    for name, words in judge_parting.describe(results.events()):
        print(f"{name.lower()}: {words}")
    for alarm in judge_parting.alarms(results.events()):
        print(f"alarm: {alarm}")
    console.stderr.print("Elo, uniform: the raw network, without search.")
    console.stderr.print(f"with search: {rule.simulations} simulations a move.")
    if standing.neighbours or standing.top:
        console.stderr.print(f"{score.IN_WORDS}.")
    if report:
        console.stderr.print(f"report: {report}")


def _exact(results: Results) -> JsonObject:
    """How far the newest snapshot and the pool are from an equilibrium, if that was measured."""
    keys = ("exploitability", "value", "pool_exploitability")
    last = next((e for e in reversed(results.events()) if keys[0] in e), None)
    return {"snapshot": last["generation"], **{k: last[k] for k in keys}} if last else {}


def _figures(standing: Leaderboard) -> JsonObject:
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
            "verdict": verdict.describe(names),
            "cycle": [names[i] for i in verdict.cycle.players] if verdict.cycle else None,
            "cycle_p": verdict.cycle.p if verdict.cycle else None,
            "curl": dataclasses.asdict(verdict.curl),
        },
        "neighbours": [_match(names[i], names[i - 1], s) for i, s in standing.neighbours],
        "top": _match(names[top[0]], names[top[1]], top[2]) if top else None,
        "forgetting": dataclasses.asdict(standing.forgetting),
        "alarms": [{"level": a.level, **dataclasses.asdict(a)} for a in standing.alarms],
    }


def _match(a: str, b: str, found: score.Score) -> JsonObject:
    return {"a": a, "b": b, **dataclasses.asdict(found)}


def _describe(standing: Leaderboard) -> list[str]:
    """What is known beside the table, in lines."""
    names, fit = standing.names, standing.fit
    lines = [
        f"first move: {standing.ratings.first_move:+z.0f}"
        f" ± {standing.ratings.first_move_half_width:.0f} Elo (95 %)",
        f"fit: chi-square {fit.chi_square:.0f}, {fit.dof} degrees of freedom, p = {fit.p:.2g}",
        standing.verdict.describe(names),
    ]
    if standing.neighbours:
        later, found = standing.neighbours[-1]
        lines.append(f"newest: {_line(names[later], names[later - 1], found)}")
    if standing.top:
        first, second, found = standing.top
        lines.append(f"best two: {_line(names[first], names[second], found)}")
    return lines + [f"{alarm.level}: {alarm.message}" for alarm in standing.alarms]


def _line(a: str, b: str, found: score.Score) -> str:
    """The score of a against b, as engine testers write it."""
    pairs = "" if found.pairs is None else f", Ptnml(0-2): {list(found.pairs)}"
    return (
        f"{a} against {b}: {found.score:.1%} ± {found.half_width:.1%}, nElo {found.nelo:+z.0f}"
        f" ± {found.nelo_half_width:.0f}, LOS {found.los:.1%}{pairs}"
    )


def _cells(row: tables.Row) -> list[str]:
    beside = (
        [] if row.melo is None else [f"{row.melo:z.0f}", f"{row.nash:.1%}", f"{row.alpha_rank:.1%}"]
    )
    return [
        str(row.id),
        f"{row.elo:z.0f}",
        f"{row.half_width:.0f}",
        str(row.games),
        *beside,
        f"{tables.score(row.uniform):.1%}" if row.uniform else "",
        f"{tables.score(row.mcts):.1%} {row.rung}" if row.mcts else "",
        "/".join(map(str, row.mcts)) if row.mcts else "",
    ]
