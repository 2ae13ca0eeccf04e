"""The verdict of a gate, what it rests on, and the events on the way to it."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from arena.evaluation.score import Z95, Score
from league.gate.match import Stage
from league.gate.statistics import expected_maximum
from league.settings.json_object import JsonObject


@dataclass(frozen=True)
class Result:
    """A candidate's score.

    Attributes:
      agent: the candidate in a selection, its opponent among the held-out.
      score: the candidate's points per game, in [0, 1].
      half_width: of the 95 % interval of the score.
    """

    agent: str
    score: float
    half_width: float

    @classmethod
    def of(cls, agent: str, found: Score) -> "Result":
        """From the score of a match."""
        return cls(agent, found.score, found.half_width)


@dataclass(frozen=True)
class HeldoutResult(Result):
    """A candidate's score against a held-out opponent or former champion.

    Attributes:
      lost: whether it is too low for an equal's.
    """

    lost: bool


@dataclass(frozen=True)
class TestResult:
    """The sequential test at its end.

    Attributes:
      pairs: int[5], pairs that gave 0, ½, 1, 1½, 2 points.
      llr: the log likelihood ratio.
      bounds: at which it is decided.
    """

    __test__ = False  # no test of pytest's

    pairs: tuple[int, ...]
    llr: float
    bounds: tuple[float, float]


@dataclass(frozen=True)
class AccuracyTest:
    """The accuracy of the candidate's moves beside the champion's, in the same solved positions.

    Attributes:
      positions: how many there are.
      candidate: in how many of them the candidate's move is optimal.
      champion: in how many the champion's is.
      p: how likely one that is as good would fall so far behind, by the sign test on the positions
        in which one of them errs and the other does not (McNemar 1947).
      lost: whether p is below the significance level.
      passes: positions that networks evaluated.
    """

    positions: int
    candidate: int
    champion: int
    p: float
    lost: bool
    passes: int


@dataclass(frozen=True)
class Verdict:
    """What the gate found.

    Attributes:
      promoted: whether the candidate is the new champion.
      reason: why, in one line.
      candidate: the one tested.
      champion: the one that reigned.
      selection: every candidate's score against the champion, in order; empty if there was one.
      fresh: the candidate's score in as many fresh games, the first of the test.
      test: the sequential test.
      heldout: scores against held-out opponents and former champions; empty if the candidate did
        not beat the champion.
      accuracy: None if no exact values are known, or the candidate did not beat the champion.
      openings_seen: different openings that training has started from.
      judge: the name of who said who won.
      asked: questions that this judge has decided for the run, this one included.
    """

    promoted: bool
    reason: str
    candidate: str
    champion: str
    selection: tuple[Result, ...]
    fresh: Result
    test: TestResult
    heldout: tuple[HeldoutResult, ...]
    accuracy: AccuracyTest | None
    openings_seen: int = 0
    judge: str = "rules"
    asked: int = 1

    @property
    def inflation(self) -> tuple[float, float] | None:
        """By how much the selection overrates the candidate, and half the 95 % interval of that.

        Points a game; None if there was nothing to choose.
        """
        chosen = next((one for one in self.selection if one.agent == self.candidate), None)
        if chosen is None:
            return None
        half = math.hypot(chosen.half_width, self.fresh.half_width)
        return chosen.score - self.fresh.score, half

    @property
    def reuse_inflation(self) -> float:
        """By how much the best of all candidates asked about would look too good, points a game.

        That is the mean of the largest of so many errors, were all of them as good as each other.
        """
        return expected_maximum(self.asked) * self.fresh.half_width / Z95

    def false_promotion(self, alpha: float) -> float:
        """How likely one of all these questions promoted a candidate that is no better, at most."""
        return 1 - (1 - alpha) ** self.asked

    def to_json(self) -> JsonObject:
        """As the record and programs hold it; whether it is a promotion stands beside it."""
        body = dataclasses.asdict(self)
        body.pop("promoted")
        inflation, half = self.inflation or (None, None)
        return {
            **body,
            "inflation": inflation,
            "inflation_half_width": half,
            "reuse_inflation": self.reuse_inflation,
        }

    @classmethod
    def from_json(cls, body: JsonObject, promoted: bool) -> "Verdict":
        """The verdict in a record, of an older version too."""
        test = body["test"]
        heldout = body["heldout"] if "heldout" in body else body["vetoes"]
        accuracy = body["accuracy"] if "accuracy" in body else body.get("exam")
        return cls(
            promoted=promoted,
            reason=body["reason"],
            candidate=body["candidate"],
            champion=body["champion"],
            selection=tuple(Result(**one) for one in body["selection"]),
            fresh=Result(**body["fresh"]),
            test=TestResult(tuple(test["pairs"]), test["llr"], _bounds(test["bounds"])),
            heldout=tuple(HeldoutResult(**one) for one in heldout),
            accuracy=AccuracyTest(**accuracy) if accuracy else None,
            openings_seen=body["openings_seen"],
            judge=body.get("judge", "rules"),
            asked=body.get("asked", 1),
        )


def _bounds(stored: Sequence[float]) -> tuple[float, float]:
    lower, upper = stored
    return lower, upper


@dataclass(frozen=True)
class MatchScored:
    """A match of a selection, or against a held-out opponent, is over.

    Attributes:
      stage: which of these.
      a: the candidate.
      b: its opponent.
      score: the candidate's points per game.
      half_width: of the 95 % interval of the score.
    """

    stage: Stage
    a: str
    b: str
    score: float
    half_width: float


@dataclass(frozen=True)
class TestContinued:
    """A match of the sequential test is over.

    Attributes:
      a: the candidate.
      b: the champion.
      description: ratio, bounds and hypotheses so far, in the notation of engine testers.
    """

    __test__ = False  # no test of pytest's

    a: str
    b: str
    description: str


@dataclass(frozen=True)
class AccuracyCompared:
    """The accuracy of moves has been compared.

    Attributes:
      a: the candidate.
      b: the champion.
      test: what was found.
    """

    a: str
    b: str
    test: AccuracyTest


GateEvent = MatchScored | TestContinued | AccuracyCompared
