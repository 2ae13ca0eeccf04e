"""Native games as PettingZoo envs."""

import dataclasses
import io
import operator
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import resvg_py
from gymnasium import spaces
from pettingzoo import AECEnv
from pettingzoo.utils import wrappers
from PIL import Image

import games
from arena.play.session import Session
from arena.types import State
from games import Game

_WIDTH = 480  # of a picture, in pixels
# Not the system's fonts: a picture is the same on every machine, and on those that have none.
_FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


@cache
def _compiled_payoff(game: Game) -> Callable[[State], jax.Array]:
    return jax.jit(game.payoff)


def _payoff(game: Game, final: State) -> float:
    """Seat 0's: not a session's result, which is a share of the largest payoff."""
    with jax.default_device(jax.local_devices(backend="cpu")[0]):  # nothing for an accelerator
        return float(_compiled_payoff(game)(final))


def _observation_space(game: Game) -> spaces.Dict:
    """The space of what an agent observes; the contract sets observations no bounds."""
    shape = jax.eval_shape(lambda: game.observe(game.init(), jnp.int32(0))).shape
    return spaces.Dict(
        {
            "observation": spaces.Box(-np.inf, np.inf, shape, np.float32),
            "action_mask": spaces.Box(0, 1, (game.num_actions,), np.int8),
        }
    )


class Env(AECEnv):
    """A native game as an AEC env.

    Agents are `player_0` and `player_1`, the game's seats. What an agent observes is a dictionary:
    `observation`, f32[...] as `game.observe` gives it, which in a game of hidden information holds
    no more than that seat may know; and `action_mask`, i8[A], all zeros but for the agent to move.
    Rewards are the game's payoffs, 0 until its end. Each game is a `Session`, whose seed comes from
    the seed given to `reset`; chance moves by itself. Copies (`copy.deepcopy`, pickles) go on as
    the original would.

    Renders as `ansi` (text), `rgb_array` (u8[height, 480, 3]) or `human` (text on stdout, after
    every move). Pictures and texts show the whole position, as to somebody who watches.

    Attributes:
      game: its rules.
      session: the game in progress.

    Args:
      game: its rules.
      render_mode: one of these, or None.

    Raises:
      ValueError: there is no such render mode.
    """

    def __init__(self, game: Game, render_mode: str | None = None):
        super().__init__()
        name = type(game).__module__.rpartition(".")[2]
        modes = ["human", "ansi", "rgb_array"]
        self.metadata = {
            "name": f"{name}_v0",
            "render_modes": modes,
            "render_fps": 2,
            "is_parallelizable": False,
        }
        if render_mode not in (None, *modes):
            raise ValueError(f"{name} renders as {', '.join(modes)}, not as {render_mode!r}")
        self.game, self.render_mode = game, render_mode
        self.possible_agents = ["player_0", "player_1"]
        self.agents: list[str] = []
        self.observation_spaces = {
            agent: _observation_space(game) for agent in self.possible_agents
        }
        self.action_spaces = {a: spaces.Discrete(game.num_actions) for a in self.possible_agents}
        self._rng = np.random.default_rng()
        self.session: Session

    def observation_space(self, agent: str) -> spaces.Space:
        """A dictionary of `observation` and `action_mask`, the same for both agents."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        """The game's moves, by number."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begins a game; a seed decides what chance brings in it and in those that follow."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self._skip_agent_selection = None
        self.session = Session(self.game, seed=int(self._rng.integers(2**32, dtype=np.uint32)))
        self.agent_selection = self.possible_agents[max(self.session.seat, 0)]
        if self.render_mode == "human":
            self.render()

    def step(self, action: Any) -> None:
        """Plays a move of the selected agent.

        Raises:
          ValueError: the move is not legal. (`env()` of a game's module ends the game instead.)
        """
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        move = operator.index(action)
        if not (0 <= move < self.game.num_actions and self.session.legal[move]):
            raise ValueError(f"{agent} may not play {move} here")
        self._cumulative_rewards[agent] = 0.0
        self.session.push(move)
        if self.session.over:
            self.agent_selection = next(a for a in self.agents if a != agent)
            self.terminations = dict.fromkeys(self.agents, True)
            payoff = _payoff(self.game, self.session.state)
            self.rewards = dict(zip(self.agents, (payoff, -payoff), strict=True))
        else:
            self.agent_selection = self.possible_agents[self.session.seat]
        self._accumulate_rewards()
        if self.render_mode == "human":
            self.render()

    def observe(self, agent: str) -> dict[str, np.ndarray]:
        """What an agent may know, and its legal moves if it is to move."""
        session, seat = self.session, self.possible_agents.index(agent)
        mask = session.legal if seat == session.seat else np.zeros_like(session.legal)
        # A copy: whoever observes may write into it.
        observation = session.observation(seat).copy()
        return {"observation": observation, "action_mask": mask.astype(np.int8)}

    def render(self) -> np.ndarray | str | None:
        """The position as text or as a picture; None where there is nothing to return."""
        if self.render_mode == "rgb_array":
            return _picture(self.game.draw(self.session.state))
        text = self.game.show(self.session.state)
        if self.render_mode == "ansi":
            return text
        if self.render_mode == "human":
            print(text, end="\n\n", flush=True)
        return None

    def close(self) -> None:
        """Nothing is open."""


def _picture(svg: str) -> np.ndarray:
    """An SVG picture as u8[height, 480, 3]."""
    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=_WIDTH,
        background="white",
        skip_system_fonts=True,
        font_files=[str(_FONT)],
        font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans",
    )
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"))


@cache
def module(name: str) -> ModuleType:
    """What `from arena.pettingzoo import NAME_v0` gives.

    Its `raw_env(render_mode=None, **options)` is an `Env`, with the game's options. Its `env`, with
    the same arguments, adds PettingZoo's usual wrappers: an illegal move ends the game, the agent
    that made it loses the game's largest payoff and the other agent gets nothing; an action
    beyond the action space, and calls in a wrong order, raise.
    """
    made = ModuleType(f"arena.pettingzoo.{name}_v0", games.load(name).__doc__)
    vars(made).update(raw_env=partial(_raw_env, name), env=partial(_env, name))
    return made


def _raw_env(name: str, render_mode: str | None = None, **options: Any) -> Env:
    game: Any = games.load(name)
    return Env(dataclasses.replace(game, **options), render_mode)


def _env(name: str, render_mode: str | None = None, **options: Any) -> AECEnv:
    made = _raw_env(name, render_mode, **options)
    env = wrappers.TerminateIllegalWrapper(made, illegal_reward=-made.game.max_payoff)
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(env))
