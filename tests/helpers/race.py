"""A PettingZoo env that a user might write, and everything that can be wrong with one.

Two players add one or two to a number in turn; whoever reaches ten wins. The tests write this file
into a folder of their own and name it `pettingzoo:./race.py?fault=…`.
"""

import os
import re
import time
from pathlib import Path

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv

END = 10
RACE = "pettingzoo:./race.py"
"""Its name where it lies in the working folder."""


def env(painted="", **options):
    return PaintedRace(painted, **options) if painted else Race(**options)


class Race(AECEnv):
    """The game, and one thing that is wrong with it.

    Args:
      fault: what is wrong, see `tests/arena/test_validate.py`.
      once: a file; the process that finds it removes it, and dies, or hangs if its name says so.
      turned: the agents see the same number as `[own turn, number]`.
      nested: the number comes in a dict within a dict.
      board: the number comes as a board of numbers, those of ann and of bob with other bounds.
    """

    _shared = [0]  # noqa: RUF012, what is wrong with it is meant
    metadata = {"name": "race_v0", "render_modes": []}  # noqa: RUF012, as PettingZoo has it

    def __init__(self, fault="", once="", turned=False, nested=False, board=False):
        self.fault, self.once, self.turned, self.nested = fault, once, turned, nested
        self.board = board
        self.possible_agents = ["ann", 7] if fault == "names" else ["ann", "bob"]
        if fault == "three":
            self.possible_agents.append("cid")
        self.render_mode = None
        actions = spaces.Box(0, 1) if fault == "continuous" else spaces.Discrete(2, start=1)
        self._actions = dict.fromkeys(self.possible_agents, actions)
        seen = spaces.Box(0, 1, (END + 2 + turned,), np.int8)
        if nested:
            seen = spaces.Dict({"now": spaces.Dict({"number": spaces.Discrete(END + 2)})})
        size = 3 if fault == "mask" else 2
        self._seen = dict.fromkeys(self.possible_agents, seen)
        if board:
            highest = {"ann": 2, "bob": 4 if fault == "beyond" else 6}
            self._seen: dict[str, spaces.Space] = {
                who: spaces.Box(0, most, (2, 3), np.int8) for who, most in highest.items()
            }
        if fault != "unmasked":
            mask = spaces.Box(0, 1, (size,), np.int8)
            for agent, seen in self._seen.items():
                both = {"observation": seen, "action_mask": mask}
                self._seen[agent] = spaces.Dict(both)

    @property
    def number(self):
        return self._shared[0] if self.fault == "shared" else self._number

    @number.setter
    def number(self, value):
        self._shared[0] = self._number = value

    def observation_space(self, agent):
        return self._seen[agent]

    def action_space(self, agent):
        return self._actions[agent]

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.number = self.plies = 0
        self.own = dict.fromkeys(self.agents, 0)
        self.dice = np.random.default_rng(seed)
        if self.fault == "random":
            self.number = int(np.random.default_rng().integers(3))
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        first = seed % 2 if self.fault == "first" and seed is not None else 0
        self.agent_selection = self.agents[first]

    def observe(self, agent):
        number = np.zeros(END + 2 + self.turned, np.int8)
        number[min(self.own[agent] if self.fault == "secret" else self.number, END + 1)] = 1
        if self.turned:
            number[-1] = agent == self.agent_selection
        seen = {"now": {"number": self.number}} if self.nested else number
        if self.board:
            seen = np.full((2, 3), min(self.number, 6 if agent == "bob" else 2), np.int8)
        if self.fault in ("nan", "huge") and self.plies == 3:
            seen = np.where(number == 1, np.nan if self.fault == "nan" else 1e200, 0.0)
        if self.fault == "half" and self.plies == 3:
            seen = number / 2
        if self.fault == "unmasked":
            return seen
        mask = np.ones(3 if self.fault == "mask" else 2, np.int8)
        if self.fault == "stuck" and self.number >= 5:
            mask[:] = 0
        return {"observation": seen, "action_mask": mask}

    def step(self, action):
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            return self._was_dead_step(action)
        self._accident()
        self.plies += 1
        if self.fault == "raises" and self.plies == 7:
            raise RuntimeError("the table is\nbroken")
        other = self.agents[1 - self.agents.index(agent)]
        self.number += 0 if self.fault == "endless" else int(action)
        self.own[agent] += int(action)
        if self.fault == "dice":
            self.number += int(self.dice.integers(2))
        self._clear_rewards()
        if self.fault == "punished":
            self.rewards[agent] = -1
        if self.number >= END:
            lost = 1 if self.fault == "cooperative" else -1
            self.rewards[agent], self.rewards[other] = 1, lost
            self.terminations = dict.fromkeys(self.agents, True)
        self._accumulate_rewards()
        self.agent_selection = other

    def _accident(self):
        if self.fault == "hangs" and self.plies == 3:
            time.sleep(3600)
        if self.fault == "loops" and self.plies == 3:
            while True:
                pass
        if self.fault == "compiled" and self.plies == 3:
            re.match("(a+)+$", "a" * 64 + "b")  # for years, and no other thread runs meanwhile
        if self.fault == "dies" and self.plies == 3:
            os._exit(9)
        if self.once and self.plies == 3:
            try:
                Path(self.once).unlink()
            except FileNotFoundError:
                return
            if "hang" in self.once:
                time.sleep(3600)
            os._exit(9)

    def close(self):
        pass


class PaintedRace(Race):
    """The game as an env that renders, and names its moves.

    Args:
      painted: the render mode that it has.
      render_mode: the one that is wanted.
    """

    def __init__(self, painted, render_mode=None, **options):
        super().__init__(**options)
        self.metadata = {**self.metadata, "render_modes": [painted]}
        self.render_mode = render_mode

    def render(self):
        if self.render_mode == "ansi":
            return f"at <{self.number}>\n"
        assert self.render_mode == "rgb_array"
        return np.full((4, 6, 3), self.number, np.uint8)

    def action_to_string(self, action):
        return f"add {action}"
