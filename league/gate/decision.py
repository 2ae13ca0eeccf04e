"""The gate: which snapshot may call itself the champion of its run.

Training knows nothing of it. A candidate has to beat the reigning champion in a sequential test of
pairs of games, and must lose neither to opponents that training never meets nor to any champion
before: the first alone would crown every agent of a circle in turn. All games start from openings
that training has never started from (see `holdout.py`). Where exact values are known, nor may it
keep the value of the game in fewer positions than the champion does.

Of several candidates the one goes through that scores best against the champion. Being chosen for
its luck, it looks better than it is; so it is rated again, on the first games of the test, and both
scores are told. Those games are fresh, and the choice costs the test none of its promise: a
candidate of difference elo0 passes with probability alpha at most. One of difference elo1 that is
no worse than anyone fails with probability beta at most, of which the test takes a half and the
vetoes, together, the other.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from arena.errors import UserError
from arena.evaluation import score
from arena.evaluation.sprt import Sprt


@dataclass(frozen=True)
class Rule:
    """How candidates are judged.

    Attributes:
      elo0: nElo against the champion at which a candidate is promoted with probability alpha at
        most.
      elo1: nElo at which it is refused with probability beta at most.
      alpha: probability of a false promotion.
      beta: probability of a false refusal.
      pairs: pairs of games that choose among the candidates, and that the test plays at a time.
      most: pairs after which the test ends without an answer, and the candidate is refused.
      veto: pairs against each held-out opponent and each former champion.

    Raises:
      UserError: figures that make no test.
    """

    elo0: float = 0.0
    elo1: float = 25.0
    alpha: float = 0.05
    beta: float = 0.05
    pairs: int = 64
    most: int = 4096
    veto: int = 128

    def __post_init__(self):
        try:
            Sprt(self.elo0, self.elo1, self.alpha, self.beta)
        except ValueError as error:
            raise UserError(str(error)) from None
        for name in ("pairs", "most", "veto"):
            if getattr(self, name) <= 0:
                raise UserError(f"{name} must be positive, not {getattr(self, name)}")

    def test(self, judges: int) -> Sprt:
        """The test against the champion, where so many others may veto."""
        share = 2 if judges else 1
        return Sprt(self.elo0, self.elo1, self.alpha, self.beta / share)

    def rare(self, judges: int) -> float:
        """With what probability one of so many may veto wrongly."""
        return self.beta / 2 / judges

    def doubt(self, judges: int) -> float:
        """Standard errors below one half from which on a score counts as lost."""
        return NormalDist().inv_cdf(1 - self.rare(judges))


class Trial(NamedTuple):
    """Some pairs of games that the gate asks for.

    Attributes:
      stage: `select`, `test` or `veto`.
      number: in its stage, from 0.
      a: the candidate.
      b: its opponent.
      pairs: how many.
    """

    stage: str
    number: int
    a: str
    b: str
    pairs: int


Play = Callable[[Trial], np.ndarray]
"""Plays a trial: the candidate's scores f32[P, 2] as `arena.match` gives them.

P is less than was asked for, or 0, if there are no more held-out openings. The same trial always
has the same scores."""


class Answers(NamedTuple):
    """To the same positions of known value.

    Attributes:
      candidate: bool[N], where the candidate's move keeps the value of the game.
      champion: bool[N], where the champion's does.
      passes: positions that networks evaluated.
    """

    candidate: np.ndarray
    champion: np.ndarray
    passes: int


Ask = Callable[[str, str], Answers]
"""Puts the positions of known value to a candidate and the champion."""


class Marks(NamedTuple):
    """How the candidate did in the positions of known value.

    Attributes:
      positions: how many there are.
      candidate: in how many of them the candidate keeps the value.
      champion: in how many the champion does.
      p: how likely one who is as good would fall so far behind, by the sign test on the positions
        in which one of them errs and the other does not (McNemar 1947).
      lost: whether that is too unlikely.
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
      candidate: who was tested.
      selection: every candidate's score against the champion, in order; empty if there was one.
      fresh: the candidate's score in as many fresh games, the first of the test.
      test: int[5], pairs of the test that gave 0, ½, 1, 1½, 2 points.
      llr: the log likelihood ratio at its end.
      bounds: at which it is decided.
      vetoes: who might veto, the candidate's score, and whether it lost; empty if it did not beat
        the champion.
      exam: the positions of known value; None if there are none, or it did not beat the champion.
    """

    promoted: bool
    reason: str
    candidate: str
    selection: tuple[tuple[str, score.Score], ...]
    fresh: score.Score
    test: tuple[int, ...]
    llr: float
    bounds: tuple[float, float]
    vetoes: tuple[tuple[str, score.Score, bool], ...]
    exam: Marks | None

    @property
    def inflation(self) -> tuple[float, float] | None:
        """By how much the choice flattered the candidate, and half the 95 % interval of that.

        Points a game; None if there was nothing to choose.
        """
        if not self.selection:
            return None
        chosen = dict(self.selection)[self.candidate]
        half = float(np.hypot(chosen.half_width, self.fresh.half_width))
        return chosen.score - self.fresh.score, half


@dataclass
class Gate:
    """One question to the gate.

    Attributes:
      rule: how candidates are judged.
      candidates: to choose from, one at least.
      champion: who reigns.
      judges: who may veto: held-out opponents and former champions.
      play: plays trials.
      tell: hears of every trial: a dict with the key `event` and its figures.
      ask: puts the positions of known value, if there are any.
    """

    rule: Rule
    candidates: list[str]
    champion: str
    judges: list[str]
    play: Play
    tell: Callable[[dict[str, Any]], None] = field(default=lambda event: None)
    ask: Ask | None = None

    @property
    def _vetoers(self) -> int:
        return len(self.judges) + (self.ask is not None)

    def decide(self) -> Verdict:
        """Chooses a candidate, tests it, hears the vetoes, and looks at the exact values.

        Raises:
          UserError: there is no opening to begin with.
        """
        selection = self._select() if len(self.candidates) > 1 else ()
        # The first of equals; candidates come newest first.
        best = max(selection, key=lambda one: one[1].score)[0] if selection else self.candidates[0]
        test = self.rule.test(self._vetoers)
        counts, fresh = self._test(best, test)
        answer = test.decide(counts)
        passed = answer == "accept H1"
        vetoes, exam = (self._veto(best), self._examine(best)) if passed else ((), None)
        faults = _faults(vetoes, exam)
        ran_out = "" if counts.sum() >= self.rule.most else ", and no more openings are held out"
        reason = {
            "accept H0": f"{best} is not better than {self.champion}",
            "accept H1": f"{best} beats {self.champion} {faults or 'and loses to nobody'}",
            None: f"{sum(counts)} pairs did not decide between {best} and {self.champion}{ran_out}",
        }[answer]
        return Verdict(
            passed and not faults,
            reason,
            best,
            selection,
            fresh,
            tuple(counts.tolist()),
            test.llr(counts),
            test.bounds,
            vetoes,
            exam,
        )

    def _select(self) -> tuple[tuple[str, score.Score], ...]:
        """Every candidate against the champion, all from the same openings."""
        found = []
        for number, name in enumerate(self.candidates):
            played = self._ask(Trial("select", number, name, self.champion, self.rule.pairs))
            found.append((name, score.of(played)))
            self._report("select", name, self.champion, found[-1][1])
        return tuple(found)

    def _test(self, name: str, test: Sprt) -> tuple[np.ndarray, score.Score]:
        """The record int[5] of the sequential test, and the score in its first games."""
        counts, fresh, number = np.zeros(5, np.int64), None, 0
        while counts.sum() < self.rule.most and (not number or test.decide(counts) is None):
            size = min(self.rule.pairs, self.rule.most - int(counts.sum()))
            trial = Trial("test", number, name, self.champion, size)
            played = self._ask(trial) if fresh is None else self.play(trial)
            if not len(played):
                break
            fresh = fresh or score.of(played)
            counts, number = counts + pentanomial(played, number), number + 1
            self.tell({"event": "test", "a": name, "b": self.champion, "words": test.words(counts)})
        assert fresh is not None  # most and pairs are positive, and nothing is decided by no games
        return counts, fresh

    def _veto(self, name: str) -> tuple[tuple[str, score.Score, bool], ...]:
        """Fixed numbers of games, so that all vetoes together err with half of beta at most."""
        found = []
        for number, judge in enumerate(self.judges):
            result = score.of(self._ask(Trial("veto", number, name, judge, self.rule.veto)))
            error = result.half_width / score.SURE
            loses = result.score + self.rule.doubt(self._vetoers) * error < 0.5
            found.append((judge, result, loses))
            self._report("veto", name, judge, result)
        return tuple(found)

    def _examine(self, name: str) -> Marks | None:
        """The same positions put to the candidate and the champion, if values are known."""
        if self.ask is None:
            return None
        mine, theirs, passes = self.ask(name, self.champion)
        p = sign_test(int((mine & ~theirs).sum()), int((theirs & ~mine).sum()))
        marks = Marks(
            len(mine),
            int(mine.sum()),
            int(theirs.sum()),
            p,
            p <= self.rule.rare(self._vetoers),
            passes,
        )
        self.tell({"event": "exam", "a": name, "b": self.champion, **marks._asdict()})
        return marks

    def _ask(self, trial: Trial) -> np.ndarray:
        played = self.play(trial)
        if not len(played):
            raise UserError(
                "no opening is held out: training has begun from all of them "
                "(more --opening-plies here, or fewer in arena train, leave some)"
            )
        return played

    def _report(self, stage: str, a: str, b: str, found: score.Score) -> None:
        self.tell({"event": stage, "a": a, "b": b, "score": found.score, "half": found.half_width})


def _faults(vetoes: tuple[tuple[str, score.Score, bool], ...], exam: Marks | None) -> str:
    """What speaks against a candidate who beat the champion; empty if nothing does."""
    lost = [name for name, _, loses in vetoes if loses]
    found = [f"loses to {' and '.join(lost)}"] if lost else []
    if exam and exam.lost:
        found.append(
            f"keeps the value in {exam.candidate} of {exam.positions} positions, "
            f"the champion in {exam.champion}"
        )
    return "but " + ", and ".join(found) if found else ""


def sign_test(better: int, worse: int) -> float:
    """The probability of so many worse or more among `better + worse`, each as likely as not."""
    total = better + worse
    return sum(math.comb(total, k) for k in range(worse, total + 1)) / 2**total


def pentanomial(scores: np.ndarray, seed: int) -> np.ndarray:
    """Pairs int[5] that gave 0, ½, 1, 1½, 2 points.

    Where a game is for stakes and may give anything, a pair goes to one of the two nearest counts,
    drawn so that its mean stays what it was.

    Args:
      scores: f32[P, 2].
      seed: of the draws.
    """
    points = 2 * np.asarray(scores, np.float64).sum(1)
    draws = np.random.default_rng(seed).uniform(size=len(points))
    # Less than a millionth from a whole number is rounding of float32, not a stake.
    whole = np.abs(points - np.rint(points)) < 1e-6
    return np.bincount(
        np.where(whole, np.rint(points), np.floor(points + draws)).astype(np.int64), minlength=5
    )
