"""Why a run learns nothing: a list of checks, each with its figure and what is normal.

A check that finds its figure out of the ordinary says what to try. The bounds are rules of thumb:
wide enough that a healthy run passes, whatever its game.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from games import Game
from league.report.evidence import Evidence, Positions
from league.training import best_response

Verdict = Literal["ok", "look at this", "not recorded"]

OK: Verdict = "ok"
LOOK: Verdict = "look at this"
UNKNOWN: Verdict = "not recorded"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
      name: what was checked.
      figure: what was measured, in words.
      normal: what is normal.
      verdict: `ok`, `look at this`, or `not recorded` where the run does not hold the figure.
      advice: what to try; empty if there is nothing to do.
    """

    name: str
    figure: str
    normal: str
    verdict: Verdict
    advice: str = ""


def diagnose(evidence: Evidence) -> list[Finding]:
    """All findings, in the order in which a person should read them."""
    found = [check(evidence) for check in _CHECKS]
    return [finding for finding in found if finding is not None]


def _finding(name: str, figure: str, normal: str, *, faulty: bool, advice: str) -> Finding:
    return Finding(name, figure, normal, LOOK if faulty else OK, advice if faulty else "")


def _strength(evidence: Evidence) -> Finding | None:
    """Whether the newest snapshot is stronger than the first."""
    first, last = evidence.rows[0], evidence.rows[-1]
    known = [g for g in evidence.history if math.isfinite(g.exploitability)]
    if known:
        start, end = known[0].exploitability, known[-1].exploitability
        return _finding(
            "Exploitability",
            f"{end:.3f} now, {start:.3f} after generation {known[0].number}",
            "falls",
            faulty=len(known) > 3 and end >= start,
            advice="the checks below say why; also try more positions a generation",
        )
    gain, half = last.elo - first.elo, math.hypot(first.half_width, last.half_width)
    if not math.isfinite(gain + half):
        return Finding("Strength", "too few games to tell", "rises", UNKNOWN, "arena rate RUN")
    return _finding(
        "Strength",
        f"{gain:+.0f} ± {half:.0f} Elo above snapshot {first.id}",
        "rises, and clearly so after a few generations",
        faulty=gain + half < 0 or (last.id > 3 and gain - half <= 0),
        advice="the checks below say why; arena rate RUN narrows the interval",
    )


def _value_error(evidence: Evidence) -> Finding | None:
    """The value loss beside that of a network which always answers the mean."""
    positions, loss = evidence.positions, evidence.history[-1].value_loss
    if positions is None or positions.target is None:
        return None
    base = float(np.var(positions.target))
    normal = "below 0.95 of the error of always answering the mean"
    if base < 1e-6:
        return _finding(
            "Value error",
            "every position has the same target: there is nothing to predict",
            normal,
            faulty=True,
            advice="see the share of draws below: games need different results",
        )
    if not math.isfinite(loss):
        return _finding(
            "Value error",
            "the value loss is no finite number",
            normal,
            faulty=True,
            advice="training diverged: a lower --learner.learning-rate",
        )
    return _finding(
        "Value error",
        f"{loss:.3f} mean squared; always the mean gives {base:.3f} (ratio {loss / base:.2f})",
        normal,
        faulty=loss >= 0.95 * base,
        advice="see label noise and the size of updates below; else a larger network, a larger "
        "--learner.value-weight, or more positions a generation",
    )


def _policy_entropy(evidence: Evidence) -> Finding | None:
    """How sure the network's policy is, beside the search's and uniform play."""
    found = evidence.positions
    if found is None:
        return None
    figure = f"{found.network:.2f} nats; uniform play has {found.uniform:.2f}"
    if math.isfinite(found.search):
        figure += f", the search {found.search:.2f}"
    faulty, advice = _entropy_fault(found)
    return _finding(
        "Policy entropy",
        figure,
        "below uniform play's, above 0, and near the search's where there is one",
        faulty=faulty,
        advice=advice,
    )


def _entropy_fault(found: Positions) -> tuple[bool, str]:
    """Whether the policy has learnt nothing or given up exploring, and what to try."""
    if found.uniform < 0.01 or not math.isfinite(found.network):
        return not math.isfinite(found.network), "weights are not finite: a lower learning rate"
    searched = math.isfinite(found.search)
    if searched and found.search > 0.97 * found.uniform:
        return True, (
            "the search prefers no move: more --learner.simulations, or a value that predicts more"
        )
    room = found.uniform - found.search if searched else 0.0
    if found.network > 0.98 * found.uniform:
        return True, "the policy is still uniform: see the size of updates; more gradient steps"
    if room > 0.1 and found.network - found.search > 0.9 * room:
        return True, (
            "the network has not taken up what the search finds: a higher learning rate, a larger "
            "network, or a larger --learner.replay-ratio"
        )
    if found.network < 0.02 * found.uniform:
        return True, "the policy is certain everywhere: more exploration, a lower learning rate"
    return False, ""


def _draws(evidence: Evidence) -> Finding | None:
    """The share of games from whose result nothing can be learnt."""
    share = evidence.history[-1].draws
    total = sum(evidence.pool_games)
    normal = "below 90 %"
    if not math.isfinite(share):
        if not total:
            return Finding("Draws", "no games against the pool", normal, UNKNOWN)
        share = evidence.pool_games[1] / total
        figure = f"{share:.0%} of the last {total} training games against the pool"
    else:
        figure = f"{share:.0%} of the training games"
    return _finding(
        "Draws",
        figure,
        normal,
        faulty=share >= 0.9,
        advice="drawn games teach nothing about winning: longer random openings "
        "(--opening-plies), or a longer limit if games are cut off; normal only for players close "
        "to perfect in a game that is a draw",
    )


def _cut_off(evidence: Evidence) -> Finding | None:
    """The share of games that the limit of their length ended."""
    if not has_limit(evidence.game):
        return None
    share, normal = evidence.history[-1].cut_off, "below 20 %"
    limit = f"the limit of {evidence.game.max_plies} plies"
    if not math.isfinite(share):
        return Finding("Length", f"games that reached {limit}", normal, UNKNOWN)
    return _finding(
        "Length",
        f"{share:.0%} of the training games reached {limit}",
        normal,
        faulty=share >= 0.2,
        advice="games end without a result: a longer limit (an option of the game, or "
        "the env's), or openings closer to the end",
    )


def has_limit(game: Game) -> bool:
    """Whether a limit of plies, and not the rules alone, may end a game.

    An imported env has one. Of a native game, an option that changes the longest game but not its
    moves and board is such a limit.
    """
    if not game.on_device:
        return True
    shape = (game.num_actions, _shape(game))
    for field in dataclasses.fields(game):  # pyright: ignore[reportArgumentType]
        value = getattr(game, field.name)
        if type(value) is not int:
            continue
        try:
            other = dataclasses.replace(game, **{field.name: value + 2})  # pyright: ignore
            changed = other.max_plies != game.max_plies
            if changed and (other.num_actions, _shape(other)) == shape:
                return True
        except ValueError:  # the option allows no such value
            continue
    return False


def _shape(game: Game) -> tuple[int, ...]:
    return jax.eval_shape(lambda: game.observe(game.init(), jnp.int32(0))).shape


def _variety(evidence: Evidence) -> Finding | None:
    """Whether the games differ from each other."""
    share, found = evidence.history[-1].distinct_games, evidence.positions
    small = best_response.small(evidence.game)  # there, repeats cannot be avoided
    advice = (
        "the same games over and over: longer random openings (--opening-plies), more exploration, "
        "more of the pool (--pool-share)"
    )
    if math.isfinite(share):
        return _finding(
            "Variety",
            f"{share:.0%} of the training games are different from each other",
            "above 10 %",
            faulty=share < 0.1 and not small,
            advice=advice,
        )
    if found is None:
        return Finding("Variety", "the newest dataset is missing", "above 5 %", UNKNOWN)
    return _finding(
        "Variety",
        f"{found.distinct} of {found.count} positions are different from each other",
        "above 5 %",
        faulty=found.distinct < 0.05 * found.count and not small,
        advice=advice,
    )


def _label_noise(evidence: Evidence) -> Finding | None:
    """How far outcomes of the same position differ from each other."""
    found = evidence.positions
    if found is None or found.target is None:
        return None
    normal = "below 0.95; high where chance or hidden cards decide"
    share, rows = noise(found.group, found.target)
    if not math.isfinite(share):
        figure = f"{rows} positions came up more than once: too few, or all of one value"
        return Finding("Label noise", figure, normal, OK)
    by_nature = bool(evidence.game.num_outcomes) or not evidence.game.perfect_information
    return _finding(
        "Label noise",
        f"{share:.2f} of the targets' variance lies within equal positions, over {rows} positions "
        "that came up more than once",
        normal,
        faulty=share >= 0.95 and not by_nature,
        advice="outcomes say nothing about positions: players move at random, the judge errs, or "
        "targets are wrong; try more simulations, or a lower --learner.td-lambda",
    )


def noise(group: np.ndarray, target: np.ndarray) -> tuple[float, int]:
    """The share of variance within groups, 1 if groups explain nothing.

    Both variances are unbiased, so pure noise gives 1 in expectation, however small the groups are.

    Args:
      group: i64[N], equal for equal positions.
      target: f64[N].

    Returns:
      the share over the rows whose group has others, and their number; NaN for fewer than 100 rows,
      for a single group, and where all targets are the same.
    """
    sizes = np.bincount(group)
    kept = sizes[group] > 1
    group, target = group[kept], target[kept]
    rows, groups = len(group), len(np.unique(group))
    total = float(np.var(target, ddof=1)) if rows > 1 else 0.0
    if rows < 100 or groups < 2 or total < 1e-9:
        return math.nan, rows
    counts = np.bincount(group)
    means = np.bincount(group, target) / np.maximum(counts, 1)
    within = float(np.square(target - means[group]).sum()) / (rows - groups)
    return within / total, rows


def _forgetting(evidence: Evidence) -> Finding:
    """Whether the newest snapshot loses to earlier ones."""
    lost = [str(alarm.ancestor) for alarm in evidence.alarms]
    newest = evidence.rows[-1].id
    return _finding(
        "Forgetting",
        f"snapshot {newest} loses to {', '.join(lost)}"
        if lost
        else f"snapshot {newest} loses to no earlier one as far as the games tell",
        "loses to none",
        faulty=bool(lost),
        advice="more games against the pool (--pool-share, --matchmaker pfsp), or a larger "
        "--learner.replay-window",
    )


def _update_size(evidence: Evidence) -> Finding | None:
    """How far a generation's training moves the weights."""
    if not evidence.updates:
        return None
    largest, newest = max(evidence.updates), evidence.updates[-1]
    finite = math.isfinite(sum(evidence.updates))
    small = largest < 0.002
    rate = evidence.config.learner.learning_rate
    return _finding(
        "Update size",
        f"the newest generation changed the weights by {newest:.2%} (learning rate {rate:g})"
        if finite
        else "weights are no finite numbers",
        "0.2 % to 200 %",
        faulty=not finite or small or largest > 2,
        advice=f"a {'higher' if small and finite else 'lower'} --learner.learning-rate"
        + (", or more gradient steps (--learner.replay-ratio)" if small and finite else ""),
    )


def _time(evidence: Evidence) -> Finding | None:
    """Where the time goes, without the generation that compiles."""
    history = evidence.history[1:] or evidence.history
    if any(g.phase_seconds for g in history):
        names = list(dict.fromkeys(name for g in history for name in g.phase_seconds))
        spent = {name: sum(g.phase_seconds.get(name, 0.0) for g in history) for name in names}
    else:
        play = sum(g.games / g.games_per_s for g in history)
        spent = {"play": play, "the rest": sum(g.seconds for g in history) - play}
    total = sum(spent.values())
    if not (math.isfinite(total) and total > 0):
        return Finding("Time", "seconds by phase", "most of it to play and learn", UNKNOWN)
    measured = spent.get("measure", 0.0) / total
    return _finding(
        "Time",
        ", ".join(f"{name} {value / total:.0%}" for name, value in spent.items())
        + f" of {total / len(history):.1f} s a generation",
        "measuring below 70 %",
        faulty=measured >= 0.7,
        advice="fewer measuring games: --measure.pairs, --measure.opponents, --measure.rollouts",
    )


_CHECKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    _strength,
    _value_error,
    _policy_entropy,
    _draws,
    _cut_off,
    _variety,
    _label_noise,
    _forgetting,
    _update_size,
    _time,
)
