"""Agents that learn in no time, in two games whose answers are known, and pools of them."""

from typing import Protocol

import numpy as np

from arena.evaluation import metagame
from league.gate.decision import Gate
from league.gate.match import GateMatch
from league.gate.rule import Rule
from league.settings import matchmaking

_FOES = 32
"""Opponents that a generation meets."""


class Toy(Protocol):
    """A game of agents that are vectors f64[k]."""

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """The first agent."""
        ...

    def learn(self, agent: np.ndarray, opponents: np.ndarray) -> np.ndarray:
        """What becomes of an agent that meets the opponents f64[m, k]."""
        ...

    def payoffs(self, agents: np.ndarray, opponents: np.ndarray) -> np.ndarray:
        """Payoffs f64[n, m] of agents f64[n, k] against opponents f64[m, k]."""
        ...


class RockPaperScissors:
    """Agents are chances of rock, paper and scissors, and learn the best response."""

    BEATS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """A random mixture."""
        return rng.dirichlet(np.ones(3))

    def learn(self, agent: np.ndarray, opponents: np.ndarray) -> np.ndarray:
        """The move that does best against the opponents; from whatever agent."""
        return np.eye(3)[np.argmax(self.BEATS @ opponents.mean(0))]

    def payoffs(self, agents: np.ndarray, opponents: np.ndarray) -> np.ndarray:
        """Mean payoffs of mixtures."""
        return agents @ self.BEATS @ opponents.T


class Disc:
    """Agents have a skill and a place in the unit disc, and learn by a gradient step.

    The payoff is tanh of the difference in skill, and the disc game: the product of both distances
    from the centre with the sine of the angle between the two. D. Balduzzi et al., "Open-ended
    learning in symmetric zero-sum games", ICML 2019 (arXiv 1901.08106).
    """

    TURN = np.array([[0.0, 1], [-1, 0]])
    _RATES = np.array([0.005, 0.5, 0.5])  # skill grows slowly, or it would hide the circles

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Without skill, somewhere in the disc."""
        angle = rng.uniform(0, 2 * np.pi)
        return np.array([0, *(np.sqrt(rng.uniform()) * np.array([np.cos(angle), np.sin(angle)]))])

    def learn(self, agent: np.ndarray, opponents: np.ndarray) -> np.ndarray:
        """A step up the gradient of the mean payoff, and back into the disc."""
        skill = np.cosh(agent[0] - opponents[:, 0]) ** -2
        agent = agent + self._RATES * np.append(skill.mean(), self.TURN @ opponents[:, 1:].mean(0))
        return agent / np.append(1, np.full(2, max(1, np.hypot(*agent[1:]))))

    def payoffs(self, agents: np.ndarray, opponents: np.ndarray) -> np.ndarray:
        """Skill and disc added up, between -2 and 2."""
        skill = np.tanh(agents[:, :1] - opponents[:, 0])
        return skill + agents[:, 1:] @ self.TURN @ opponents[:, 1:].T


class NeuralDisc:
    """The same game for agents whose skill and place are what a network gives.

    An agent is the weights of a perceptron with one hidden layer, which reads a constant; it learns
    by steps up the gradient of its weights.
    """

    _HIDDEN, _STEPS, _RATE = 16, 4, 0.05
    _SKILL = 0.03  # of the network's first output, so that skill grows slowly

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Random weights f64[16 + 3 · 16 + 3]."""
        size = self._HIDDEN
        first, last = rng.standard_normal(size), rng.standard_normal((3, size)) / np.sqrt(size)
        return np.concatenate([first, last.ravel(), np.zeros(3)])

    def learn(self, agent: np.ndarray, opponents: np.ndarray) -> np.ndarray:
        """Steps up the gradient of the mean payoff, by the chain rule."""
        met = self._places(opponents)
        for _ in range(self._STEPS):
            first, last, _ = self._layers(agent)
            hidden = np.tanh(first)
            slope = self._slope(self._outputs(agent), met)
            below = (slope @ last) * (1 - hidden**2)
            up = np.concatenate([below, np.outer(slope, hidden).ravel(), slope])
            agent = agent + self._RATE * up
        return agent

    def payoffs(self, agents: np.ndarray, opponents: np.ndarray) -> np.ndarray:
        """Those of the disc."""
        return Disc().payoffs(self._places(agents), self._places(opponents))

    def _layers(self, agent: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        size = self._HIDDEN
        return agent[:size], agent[size:-3].reshape(3, size), agent[-3:]

    def _outputs(self, agent: np.ndarray) -> np.ndarray:
        first, last, bias = self._layers(agent)
        return last @ np.tanh(first) + bias

    def _places(self, agents: np.ndarray) -> np.ndarray:
        """Skill, and place u/√(1 + |u|²) in the disc, f64[n, 3]."""
        found = np.stack([self._outputs(agent) for agent in agents])
        length = np.sqrt(1 + (found[:, 1:] ** 2).sum(1, keepdims=True))
        return np.concatenate([self._SKILL * found[:, :1], found[:, 1:] / length], 1)

    def _slope(self, found: np.ndarray, met: np.ndarray) -> np.ndarray:
        """The gradient f64[3] in the outputs of the mean payoff against places f64[m, 3]."""
        skill = np.cosh(self._SKILL * found[0] - met[:, 0]) ** -2
        wanted = Disc.TURN @ met[:, 1:].mean(0)
        length = np.sqrt(1 + found[1:] @ found[1:])
        place = wanted / length - found[1:] * (wanted @ found[1:]) / length**3
        return np.append(self._SKILL * skill.mean(), place)


TOYS: dict[str, Toy] = {
    "rock_paper_scissors": RockPaperScissors(),
    "disc": Disc(),
    "neural_disc": NeuralDisc(),
}


def train(toy: Toy, matchmaker: str, generations: int, seed: int) -> np.ndarray:
    """The pool f64[generations + 1, k] of a league, oldest agent first."""
    rng = np.random.default_rng(seed)
    pool = toy.start(rng)[None]
    for _ in range(generations):
        weights = field(toy, pool, matchmaker)
        opponents = pool[rng.choice(len(pool), _FOES, p=weights)]
        pool = np.vstack([pool, toy.learn(pool[-1], opponents)])
    return pool


def field(toy: Toy, pool: np.ndarray, matchmaker: str) -> np.ndarray:
    """The mixture f64[n] of the pool f64[n, k] that a matchmaker draws from."""
    losses = (1 - np.clip(toy.payoffs(pool[-1:], pool)[0], -1, 1)) / 2
    known = matchmaking.Pool(losses, lambda: toy.payoffs(pool, pool))
    return matchmaking.find(matchmaker)(known)


def worst(toy: Toy, pool: np.ndarray, matchmaker: str) -> float:
    """What the field loses to the agent of its pool that does best against it."""
    return metagame.worst_case(toy.payoffs(pool, pool), field(toy, pool, matchmaker))


def responses(count: int, seed: int) -> np.ndarray:
    """A chain f64[count + 1, 3]: rock, paper or scissors, then best responses, each to the last."""
    toy, rng = TOYS["rock_paper_scissors"], np.random.default_rng(seed)
    chain = [np.eye(3)[rng.integers(3)]]
    for _ in range(count):
        chain.append(toy.learn(chain[-1], chain[-1][None]))
    return np.stack(chain)


def over_predecessor(chain: np.ndarray) -> int:
    """How many agents of a chain f64[n, 3] beat the one before them."""
    payoffs = TOYS["rock_paper_scissors"].payoffs(chain, chain)
    return int((np.diagonal(payoffs, -1) > 0).sum())


def by_gate(chain: np.ndarray, seed: int) -> list[int]:
    """Which agents of a chain f64[n, 3] the gate promotes, asked about each in turn.

    The first agent reigns at first, as snapshot 0 does, and uniform play is held out. Every game is
    played, by moves drawn from both mixtures.
    """
    players = {str(i): agent for i, agent in enumerate(chain)} | {"uniform": np.full(3, 1 / 3)}
    rng = np.random.default_rng(seed)

    def play(match: GateMatch) -> np.ndarray:
        sides = players[match.a], players[match.b]
        one, two = (np.eye(3)[rng.choice(3, 2 * match.pairs, p=side)] for side in sides)
        payoffs = np.einsum("gi,ij,gj->g", one, RockPaperScissors.BEATS, two)
        return (1 + payoffs).reshape(-1, 2) / 2

    champions = [0]
    for candidate in range(1, len(chain)):
        heldout = [*(str(i) for i in champions[:-1]), "uniform"]
        gate = Gate(Rule(), [str(candidate)], str(champions[-1]), heldout=heldout, play=play)
        if gate.decide().promoted:
            champions.append(candidate)
    return champions[1:]
