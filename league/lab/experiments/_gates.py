"""Gates on candidates whose truth is known: one that chooses once, and one that is asked again."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from league.gate.decision import Gate
from league.gate.match import GateMatch
from league.gate.rule import Rule
from league.lab import Work

THRESHOLD = 0.8
"""The slope of Δtruth on Δgate below which held-out opponents are drawn anew."""
STEPS = 16
"""Candidates of one use of the gate."""
ERROR = 0.4
"""|ε|: how much further than the target the gate's own lies off, the first policy being 1 away."""
_WALKS = 20
_LENGTH = 0.02


def best(count: int, noise: float, repeats: int, work: Work) -> dict[str, float]:
    """The best of K by a noisy gate: what it overstates, and what is truly gained."""
    rng = np.random.default_rng(work.seed)
    truth = rng.standard_normal((repeats, count))
    seen = truth + noise * rng.standard_normal(truth.shape)
    rows, best = np.arange(len(truth)), seen.argmax(1)
    return {
        "inflation": float((seen - truth)[rows, best].mean()),
        "gain": float(truth[rows, best].mean()),
    }


_GATE = Rule(pairs=64, max_pairs=64, heldout_pairs=1)


def product(count: int, work: Work) -> dict[str, float]:
    """The product's gate on ten candidates whose chances to win vary as much as it errs."""
    rng = np.random.default_rng(work.seed)
    error = 0.5 / np.sqrt(2 * _GATE.pairs)
    inflation, gain, fresh = [], [], []
    for number in range(count):
        chances = np.clip(0.5 + error * rng.standard_normal(10), 0.05, 0.95)

        def play(match: GateMatch, chances: np.ndarray = chances) -> np.ndarray:
            won = rng.random((match.pairs, 2)) < chances[int(match.a)]
            return won.astype(np.float32)

        names = [str(i) for i in range(10)]
        verdict = Gate(_GATE, names, "champion", heldout=[], play=play).decide()
        true = chances[int(verdict.candidate)]
        seen = next(one.score for one in verdict.selection if one.agent == verdict.candidate)
        inflation.append((seen - true) / error)
        gain.append((true - 0.5) / error)
        fresh.append((verdict.fresh.score - true) / error)
        work.tell(number / count)
    means = (float(np.mean(values)) for values in (inflation, gain, fresh))
    return dict(zip(("inflation", "gain", "fresh"), means, strict=True))


@dataclass
class Rotation:
    """When held-out opponents are to be drawn anew.

    Attributes:
      rotates: whether they ever are.
      patience: uses over which the mean slope is taken.
    """

    rotates: bool
    patience: int

    def __post_init__(self):
        self.drawn, self._recent = 0, []

    def due(self, slope: float) -> bool:
        """Takes the slope of one use; whether the mean of the last ones is under the threshold."""
        self._recent.append(slope)
        last = self._recent[-self.patience :]
        if not self.rotates or len(last) < self.patience or np.mean(last) >= THRESHOLD:
            return False
        self.drawn, self._recent = self.drawn + 1, []
        return True


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Of y on x, f64[n] each, by least squares."""
    away = x - x.mean()
    return float(away @ y / max(1e-30, away @ away))


def walks(arm: str, uses: int, dimensions: int, work: Work) -> dict[str, Any]:
    """The means of some walks by a gate that is asked again and again; see `_walk`."""
    rng = np.random.default_rng(work.seed)
    found = [_walk(arm == "rotated", uses, dimensions, rng) for _ in range(_WALKS)]
    return {key: np.nanmean([one[key] for one in found], 0) for key in found[0]}


def _walk(rotates: bool, uses: int, size: int, rng: np.random.Generator) -> dict[str, Any]:
    """A champion that goes wherever the gate sees most: slope, truth and gate, use by use."""
    target = _unit(rng.standard_normal(size))
    error, champion = ERROR * _unit(rng.standard_normal(size)), np.zeros(size)
    rotation = Rotation(rotates, 10)
    slopes, truth, said, gone = [], [], [], []

    def gold(places: np.ndarray) -> np.ndarray:
        return -((places - target) ** 2).sum(-1) / 2

    for _ in range(uses):
        found = champion + _LENGTH * _unit(rng.standard_normal((STEPS, size)))
        true = gold(found) - gold(champion)
        seen = true + (found - champion) @ error
        slopes.append(slope(seen, true))
        if seen.max() > 0:
            champion = found[seen.argmax()]
        truth.append(gold(champion))
        said.append(truth[-1] + champion @ error)
        goal = target + error
        gone.append(champion @ goal / (goal @ goal))
        if rotation.due(slopes[-1]):
            error = ERROR * _unit(rng.standard_normal(size))
    late = [one for one, share in zip(slopes, gone, strict=True) if 0.7 <= share <= 0.85]
    return {
        "slopes": slopes,
        "truth": truth,
        "said": said,
        "late": np.mean(late) if late else np.nan,
        "drawn": rotation.drawn,
    }


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
