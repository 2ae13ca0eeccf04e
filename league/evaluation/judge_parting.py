"""Whether a run's judge and the rules have parted, and what the judge has cost; from its record."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from league.settings.json_object import JsonObject

ALPHA = 0.01
"""How likely a judge that overrates nobody raises an alarm in a whole run, at most."""
_LEAST = 50  # games that the rules decide, of which agreement is judged at least
_SILENT = 0.1  # a judge that names somebody in fewer of them has settled on nobody


@dataclass(frozen=True)
class Parting:
    """What the record says of a judge and the rules so far.

    Attributes:
      since: the first generation of the stretch in which the judge overrates the most surely.
      excess: by how many points a game it overrates there.
      p: how likely a judge that overrates nobody would seem to, in any stretch of the run.
      right: share of the games that the rules decide in which it names the winner, in the newest
        generation; a game in which it names nobody counts half.
      right_p: how likely a coin names as many.
      decided: these games.
      named: in how many of them it names anybody, right or wrong; None in an older record.
    """

    since: int
    excess: float
    p: float
    right: float
    right_p: float
    decided: int
    named: int | None = None

    @property
    def alarms(self) -> list[str]:
        """In words; empty if there is nothing to tell."""
        found = []
        if self.p < ALPHA:
            found.append(
                f"the judge is being gamed since generation {self.since}: in the same games it "
                f"gives {100 * self.excess:.1f} points in 100 more than the rules "
                f"({_told(self.p)})"
            )
        if self.decided < _LEAST:
            return found
        if self.named is not None and self.named < _SILENT * self.decided:
            found.append(
                f"the judge has settled on calling games even: it names somebody in {self.named} "
                f"of {self.decided} games that the rules decide"
            )
        elif self.right_p >= ALPHA:
            found.append(
                f"the judge knows no more than a coin: it names the winner in {self.right:.0%} of "
                f"{self.decided} games that the rules decide (p = {self.right_p:.2g})"
            )
        return found


def _told(p: float) -> str:
    """A probability in words; one that is too small for a number is below the smallest."""
    return f"p = {p:.1g}" if p > 0 else "p < 1e-300"


def parting(history: Sequence[JsonObject]) -> Parting | None:
    """How a judge and the rules have parted.

    The excess of each generation is tested against 0, one-sided, over all stretches that end now;
    its probability is multiplied by the number of stretches that a run of this length has
    (Bonferroni), so that the alarm may be looked for after every generation.

    Args:
      history: figures of all generations, in order; those without a `judged` part are left out.
    """
    judged = [(one["generation"], one["judged"]) for one in history if "judged" in one]
    if not judged:
        return None
    best = (-math.inf, judged[-1][0], 0.0)
    total = squares = 0.0
    pairs = 0
    for number, found in reversed(judged):
        total += found["excess"] * found["pairs"]
        squares += found["excess_squares"]
        pairs += found["pairs"]
        mean = total / pairs
        error = math.sqrt((squares + 1) / pairs) / math.sqrt(pairs)
        best = max(best, (mean / error, number, mean))
    looks = len(judged) * (len(judged) + 1) / 2
    surest, since, excess = best
    last = judged[-1][1]
    decided, right = last["decided"], last["right"]
    z = (right - decided / 2) / math.sqrt(max(decided, 1) / 4)
    share = right / decided if decided else math.nan
    p = min(1.0, _beyond(surest) * looks)
    return Parting(since, excess, p, share, _beyond(z), decided, last.get("named"))


def _beyond(z: float) -> float:
    """The probability that a standard normal number is larger, exact far out too."""
    return math.erfc(z / math.sqrt(2)) / 2


def alarms(history: Sequence[JsonObject]) -> tuple[str, ...]:
    """What a person should know of the judge, a line each."""
    found = parting(history)
    return tuple(found.alarms) if found else ()


def as_json(history: Sequence[JsonObject]) -> JsonObject:
    """What the judge says beside the rules, for programs; {} if the rules are the judge."""
    found = parting(history)
    judged = [
        {"generation": one["generation"], **one["judged"]} for one in history if "judged" in one
    ]
    return {**asdict(found), "alarms": found.alarms, "generations": judged} if found else {}


def describe(history: Sequence[JsonObject]) -> tuple[tuple[str, str], ...]:
    """What the judge says and has cost, name and text; empty if the rules are the judge."""
    found, judged = parting(history), [one for one in history if "judged" in one]
    if found is None:
        return ()
    last = judged[-1]["judged"]
    total = {
        name: sum(one["judged"].get(name, 0) for one in judged)
        for name in ("verdicts", "searched", "evaluations")
    }
    people = last.get("human_verdicts", 0)
    seconds = [one["verdict_seconds"] for one in judged if "verdict_seconds" in one]
    given = sum(one.get("verdict_positions", 0) for one in judged)
    cost = f"{total['verdicts']:,} verdicts on games"
    cost += f", up to {total['searched']:,} in searches" if total["searched"] else ""
    if total["evaluations"]:
        cost += f", {total['evaluations']:,} evaluations of networks"
        cost += f", which take about {sum(seconds):.1f} s" if seconds else ""
    elif given or sum(seconds) >= 0.05:
        cost += f", {sum(seconds):.1f} s in its own code"
        cost += f" for {given:,} positions" if given else ""
    cost += f", {people:,} verdicts of people" if people else ""
    said = (
        f"against the first policy the newest snapshot scores {last['judge_first']:.1%} by the "
        f"judge, {last['rules_first']:.1%} by the rules; the judge names the winner in "
        f"{found.right:.0%} of {found.decided} games that the rules decide"
    )
    return ("Judge", said), ("Cost of the judge", cost)
