"""An env whose observation forgets: a bit is shown once, and is to be named a turn later."""

from typing import Any

import gymnasium
import numpy as np
import pettingzoo


class Recall(pettingzoo.AECEnv):
    """Both seats see a bit of their own, then a blank; whoever alone names its bit wins."""

    def __init__(self) -> None:
        self.metadata = {"name": "recall", "is_parallelizable": False}
        self.possible_agents = ["first", "second"]

    def observation_space(self, agent: str) -> gymnasium.Space:
        return gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def action_space(self, agent: str) -> gymnasium.Space:
        return gymnasium.spaces.Discrete(2)

    def reset(self, seed: int | None = None, options: Any = None) -> None:
        self.agents = self.possible_agents[:]
        self.bits = np.random.default_rng(seed).integers(2, size=2)
        self.turn, self.named = 0, {}
        self.agent_selection = "first"
        self.rewards = self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}

    def observe(self, agent: str) -> np.ndarray:
        seat = self.possible_agents.index(agent)
        bit = 2.0 * self.bits[seat] - 1 if self.turn < 2 else 0.0
        return np.array([bit, self.turn >= 2], np.float32)

    def step(self, action: int | None) -> None:
        if self.terminations[self.agent_selection]:
            self._was_dead_step(action)
            return
        seat = self.turn % 2
        if self.turn >= 2:
            self.named[seat] = action == self.bits[seat]
        self.turn += 1
        self.agent_selection = self.possible_agents[self.turn % 2]
        if self.turn == 4:
            gain = float(self.named[0]) - float(self.named[1])
            self.rewards = {"first": gain, "second": -gain}
            self.terminations = dict.fromkeys(self.agents, True)


def env() -> Recall:
    """As PettingZoo's functions of this name."""
    return Recall()
