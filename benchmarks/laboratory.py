"""Does a league forget? Two games whose answers are known, for agents that learn in no time.

    python -m benchmarks.laboratory

Every generation the newest agent meets opponents that a matchmaker of league.matchmaking draws from
the pool, learns from them, and joins the pool. What a matchmaker is worth is what it would send
into the field: the mixture of the pool that it draws from, under `latest` the newest agent alone.
`worst` is the mean payoff of that mixture against the agent of the pool that does best against it.

Naive self-play goes round in circles, and its newest agent loses to its own past. Gates that ask
only for a win against the predecessor see nothing of that: all its agents pass. What `nash` fields
cannot lose to its own pool by definition; `uniform` and mixtures have to earn it.

Prints one JSON line a game, matchmaker and seed, then one for the gates.
"""

import json
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tyro

from arena import metagame
from league import matchmaking

_FOES = 32
"""Opponents that a generation meets."""


class Toy(Protocol):
    """A game of agents that are vectors f64[3]."""

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """The first agent."""
        ...

    def learn(self, agent: np.ndarray, foes: np.ndarray) -> np.ndarray:
        """What becomes of an agent that meets the foes f64[m, 3]."""
        ...

    def payoffs(self, agents: np.ndarray, foes: np.ndarray) -> np.ndarray:
        """Payoffs f64[n, m] of agents f64[n, 3] against foes f64[m, 3]."""
        ...


class RockPaperScissors:
    """Agents are chances of rock, paper and scissors, and learn the best response."""

    _BEATS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """A random mixture."""
        return rng.dirichlet(np.ones(3))

    def learn(self, agent: np.ndarray, foes: np.ndarray) -> np.ndarray:
        """The move that does best against the foes; the agent it comes from does not matter."""
        return np.eye(3)[np.argmax(self._BEATS @ foes.mean(0))]

    def payoffs(self, agents: np.ndarray, foes: np.ndarray) -> np.ndarray:
        """Mean payoffs of mixtures."""
        return agents @ self._BEATS @ foes.T


class Disc:
    """Agents have a skill and a place in the unit disc, and learn by a gradient step.

    The payoff is tanh of the difference in skill, and the disc game: the product of both distances
    from the centre with the sine of the angle between the two. D. Balduzzi et al., "Open-ended
    learning in symmetric zero-sum games", ICML 2019 (arXiv 1901.08106).
    """

    _TURN = np.array([[0.0, 1], [-1, 0]])
    _RATES = np.array([0.005, 0.5, 0.5])  # skill grows slowly, or it would hide the circles

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Without skill, somewhere in the disc."""
        angle = rng.uniform(0, 2 * np.pi)
        return np.array([0, *(np.sqrt(rng.uniform()) * np.array([np.cos(angle), np.sin(angle)]))])

    def learn(self, agent: np.ndarray, foes: np.ndarray) -> np.ndarray:
        """A step up the gradient of the mean payoff, and back into the disc."""
        skill = np.cosh(agent[0] - foes[:, 0]) ** -2
        agent = agent + self._RATES * np.append(skill.mean(), self._TURN @ foes[:, 1:].mean(0))
        return agent / np.append(1, np.full(2, max(1, np.hypot(*agent[1:]))))

    def payoffs(self, agents: np.ndarray, foes: np.ndarray) -> np.ndarray:
        """Skill and disc added up, between -2 and 2."""
        skill = np.tanh(agents[:, :1] - foes[:, 0])
        return skill + agents[:, 1:] @ self._TURN @ foes[:, 1:].T


TOYS: dict[str, Toy] = {"rock_paper_scissors": RockPaperScissors(), "disc": Disc()}

NAIVE = (("rock_paper_scissors", "latest", 100), ("disc", "latest", 100))
"""Toy, matchmaker and generations of what goes round in circles."""
LEAGUES = (
    ("rock_paper_scissors", "uniform", 3000),  # fictitious play is slow
    ("rock_paper_scissors", "nash", 40),
    ("rock_paper_scissors", "0.95*nash+0.05*uniform", 40),
    ("disc", "nash", 40),
    ("disc", "0.95*nash+0.05*uniform", 40),
)
"""What does not. On the disc, where skill grows, uniform fields the first as often as the last."""


@dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
      seeds: one league each.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)


def main(options: Options) -> None:
    """Prints a line a league and seed, and one of the gates."""
    for name, matchmaker, generations in NAIVE + LEAGUES:
        for seed in options.seeds:
            pool = train(TOYS[name], matchmaker, generations, seed)
            figures = {"game": name, "matchmaker": matchmaker, "generations": generations}
            score = round(worst(TOYS[name], pool, matchmaker), 4) + 0.0  # not -0.0
            print(json.dumps({"bench": "laboratory", **figures, "seed": seed, "worst": score}))
    toy = TOYS["rock_paper_scissors"]
    chain = train(toy, "latest", 99, 0)
    figures = {
        "responses": 99,
        "promoted_over_predecessor": promoted(toy, chain, False),
        "promoted_over_all": promoted(toy, chain, True),
        "worst": worst(toy, chain, "latest"),
    }
    print(json.dumps({"bench": "gates", "game": "rock_paper_scissors", **figures}))


def train(toy: Toy, matchmaker: str, generations: int, seed: int) -> np.ndarray:
    """The pool f64[generations + 1, 3] of a league, oldest agent first."""
    rng = np.random.default_rng(seed)
    pool = toy.start(rng)[None]
    for _ in range(generations):
        weights = field(toy, pool, matchmaker)
        foes = pool[rng.choice(len(pool), _FOES, p=weights)]
        pool = np.vstack([pool, toy.learn(pool[-1], foes)])
    return pool


def field(toy: Toy, pool: np.ndarray, matchmaker: str) -> np.ndarray:
    """The mixture f64[n] of the pool f64[n, 3] that a matchmaker draws from."""
    losses = (1 - np.clip(toy.payoffs(pool[-1:], pool)[0], -1, 1)) / 2
    known = matchmaking.Pool(losses, lambda: toy.payoffs(pool, pool))
    return matchmaking.parse(matchmaker)(known)


def worst(toy: Toy, pool: np.ndarray, matchmaker: str) -> float:
    """What the field loses to the agent of its pool that does best against it."""
    return metagame.worst_case(toy.payoffs(pool, pool), field(toy, pool, matchmaker))


def promoted(toy: Toy, pool: np.ndarray, whole_past: bool) -> int:
    """How many agents of a pool pass a gate: a payoff above 0 against the one before, or all."""
    payoffs = toy.payoffs(pool, pool)
    gates = [payoffs[k, 0 if whole_past else k - 1 : k] for k in range(1, len(pool))]
    return sum(bool((gate > 0).all()) for gate in gates)


if __name__ == "__main__":
    main(tyro.cli(Options))
