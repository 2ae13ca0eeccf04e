"""The gate: which snapshot may call itself the champion of its run.

Training does not depend on it. A candidate has to beat the reigning champion in a sequential test
of pairs of games, and must lose neither to opponents that training never meets nor to any champion
before: the first alone would crown every agent of a circle in turn. All games start from openings
that training has never started from (see `heldout.py`). Where exact values are known, nor may its
moves be optimal in fewer positions than the champion's.

Of several candidates the one goes through that scores best against the champion. Being chosen for
its luck, it looks better than it is; so it is rated again, on the first games of the test, and both
scores are reported. Those games are fresh, and the choice costs the test none of its promise: a
candidate of difference elo0 passes with probability alpha at most. One of difference elo1 that is
no worse than anyone fails with probability beta at most, of which the test takes a half and the
checks that follow it, together, the other.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import numpy as np

from arena.errors import UserError
from arena.evaluation import score
from arena.evaluation.score import Z95
from arena.evaluation.sprt import Sprt
from league.gate.match import GateMatch, PlayMatch, Stage
from league.gate.rule import Rule
from league.gate.statistics import pentanomial, sign_test
from league.gate.verdict import (
    AccuracyCompared,
    AccuracyTest,
    GateEvent,
    HeldoutResult,
    MatchScored,
    Result,
    TestContinued,
    TestResult,
    Verdict,
)


class OptimalMoves(NamedTuple):
    """The moves of two agents in the same N solved positions.

    Attributes:
      candidate: bool[N], where the candidate's move is optimal.
      champion: bool[N], where the champion's is.
      passes: positions that networks evaluated.
    """

    candidate: np.ndarray
    champion: np.ndarray
    passes: int


CompareMoves = Callable[[str, str], OptimalMoves]
"""`compare(candidate, champion)`: which of their moves in solved positions are optimal."""


@dataclass
class Gate:
    """One question to the gate.

    Attributes:
      rule: how candidates are tested.
      candidates: to choose from, one at least.
      champion: the reigning one.
      heldout: held-out opponents and former champions, none of which the candidate may lose to.
      play: plays matches.
      begin: called with matches that will be played, or may be, before the first of them is; None
        if nobody plays them until then.
      compare: compares moves in solved positions, if there are any.
      callback: called with an event after every match and every comparison.
    """

    rule: Rule
    candidates: list[str]
    champion: str
    _: KW_ONLY
    heldout: list[str]
    play: PlayMatch
    begin: Callable[[list[GateMatch]], None] | None = None
    compare: CompareMoves | None = None
    callback: Callable[[GateEvent], None] = lambda event: None

    @property
    def _checks(self) -> int:
        """How many checks follow the test."""
        return len(self.heldout) + (self.compare is not None)

    def decide(self) -> Verdict:
        """Chooses a candidate, tests it, and checks it against held-out opponents and exact values.

        Raises:
          UserError: there is no opening to begin with.
        """
        selection = self._select() if len(self.candidates) > 1 else ()
        # The first of equals; candidates come newest first.
        best = max(selection, key=lambda one: one.score).agent if selection else self.candidates[0]
        test = self.rule.test(self._checks)
        counts, fresh = self._test(best, test)
        passed = test.decide(counts) == "accept H1"
        heldout = self._play_heldout(best) if passed else ()
        accuracy = self._compare(best) if passed else None
        faults = _faults(heldout, accuracy)
        return Verdict(
            promoted=passed and not faults,
            reason=self._reason(best, test, counts, faults),
            candidate=best,
            champion=self.champion,
            selection=selection,
            fresh=Result.of(best, fresh),
            test=TestResult(tuple(counts.tolist()), test.llr(counts), test.bounds),
            heldout=heldout,
            accuracy=accuracy,
        )

    def _reason(self, name: str, test: Sprt, counts: np.ndarray, faults: str) -> str:
        ran_out = counts.sum() < self.rule.max_pairs
        end = ", and no more openings are held out" if ran_out else ""
        return {
            "accept H0": f"{name} is not better than {self.champion}",
            "accept H1": f"{name} beats {self.champion} {faults or 'and loses to nobody'}",
            None: f"{sum(counts)} pairs did not decide between {name} and {self.champion}{end}",
        }[test.decide(counts)]

    def _select(self) -> tuple[Result, ...]:
        """Every candidate against the champion, all from the same openings."""
        matches = [
            GateMatch(Stage.SELECT, number, name, self.champion, self.rule.pairs)
            for number, name in enumerate(self.candidates)
        ]
        self._announce(matches)
        return tuple(Result.of(match.a, self._score(match)) for match in matches)

    def _test(self, name: str, test: Sprt) -> tuple[np.ndarray, score.Score]:
        """The record int[5] of the sequential test, and the score in its first games."""
        counts, fresh, number = np.zeros(5, np.int64), None, 0
        while counts.sum() < self.rule.max_pairs and (not number or test.decide(counts) is None):
            size = min(self.rule.pairs, self.rule.max_pairs - int(counts.sum()))
            match = GateMatch(Stage.TEST, number, name, self.champion, size)
            self._announce([match, *self._next_tests(match)])
            played = self._play(match) if fresh is None else self.play(match)
            if not len(played):
                break
            fresh = fresh or score.of(played)
            counts, number = counts + pentanomial(played, number), number + 1
            self.callback(TestContinued(name, self.champion, test.describe(counts)))
        assert fresh is not None  # sizes are positive, and nothing is decided by no games
        return counts, fresh

    def _play_heldout(self, name: str) -> tuple[HeldoutResult, ...]:
        """Fixed numbers of games, so that all checks together err with half of beta at most."""
        found = []
        matches = [
            GateMatch(Stage.HELDOUT, number, name, opponent, self.rule.heldout_pairs)
            for number, opponent in enumerate(self.heldout)
        ]
        self._announce(matches)
        for match, opponent in zip(matches, self.heldout, strict=True):
            result = self._score(match)
            error = result.half_width / Z95
            lost = result.score + self.rule.critical_z(self._checks) * error < 0.5
            found.append(HeldoutResult(opponent, result.score, result.half_width, lost))
        return tuple(found)

    def _compare(self, name: str) -> AccuracyTest | None:
        """Both agents' moves in the same positions, if exact values are known."""
        if self.compare is None:
            return None
        mine, theirs, passes = self.compare(name, self.champion)
        p = sign_test(int((mine & ~theirs).sum()), int((theirs & ~mine).sum()))
        lost = p <= self.rule.check_alpha(self._checks)
        found = AccuracyTest(len(mine), int(mine.sum()), int(theirs.sum()), p, lost, passes)
        self.callback(AccuracyCompared(name, self.champion, found))
        return found

    def _next_tests(self, match: GateMatch) -> list[GateMatch]:
        """The matches that follow one of the test, unless it is decided or openings run out."""
        whole = self.rule.max_pairs // self.rule.pairs
        return [match._replace(number=n) for n in range(match.number + 1, whole)]

    def _announce(self, matches: list[GateMatch]) -> None:
        if self.begin is not None:
            self.begin(matches)

    def _score(self, match: GateMatch) -> score.Score:
        """The score of a match that must be playable."""
        found = score.of(self._play(match))
        self.callback(MatchScored(match.stage, match.a, match.b, found.score, found.half_width))
        return found

    def _play(self, match: GateMatch) -> np.ndarray:
        played = self.play(match)
        if not len(played):
            raise UserError(
                "no opening is held out: training has begun from all of them "
                "(more --opening-plies here, or fewer in arena train, leave some)"
            )
        return played


def _faults(heldout: tuple[HeldoutResult, ...], accuracy: AccuracyTest | None) -> str:
    """What speaks against a candidate that beat the champion; empty if nothing does."""
    lost = [one.agent for one in heldout if one.lost]
    found = [f"loses to {' and '.join(lost)}"] if lost else []
    if accuracy and accuracy.lost:
        found.append(
            f"plays an optimal move in {accuracy.candidate} of {accuracy.positions} positions, "
            f"the champion in {accuracy.champion}"
        )
    return "but " + ", and ".join(found) if found else ""
