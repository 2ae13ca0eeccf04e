"""Native games as PettingZoo envs."""

import dataclasses
import io
import operator
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

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
from arena.chance import resolve_chance
from games import Game

_WIDTH = 480  # of a picture, in pixels
# Not the system's fonts: a picture is the same on every machine, and on those that have none.
_FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


class _Sight(NamedTuple):
    """A position in which a seat is to move or the game is over, and all that is told of it.

    Attributes:
      state: the position.
      mover: i32[], seat 0, seat 1 or OVER.
      legal: bool[A].
      payoff: f32[], seat 0's.
      observations: f32[2, ...], what each seat may know.
    """

    state: Any
    mover: Any
    legal: Any
    payoff: Any
    observations: Any


@cache
def _compiled(game: Game):
    """Jitted: the first position, and the position after a move; both when chance has moved."""

    def look(word: jax.Array, state: Any) -> _Sight:
        state = resolve_chance(game, jax.random.key(word), state)
        observations = jax.vmap(game.observe, (None, 0))(state, jnp.arange(2))
        return _Sight(state, game.mover(state), game.legal(state), game.payoff(state), observations)

    def begin(word: jax.Array) -> _Sight:
        return look(word, game.init())

    def advance(word: jax.Array, state: Any, move: jax.Array) -> _Sight:
        return look(word, game.step(state, move))

    return jax.jit(begin), jax.jit(advance)


def _seen(game: Game) -> spaces.Dict:
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
    `observation`, f32[...] as `game.observe` gives it, which in a game of hidden information tells
    no more than that seat may know; and `action_mask`, i8[A], all zeros but for the agent to move.
    Rewards are the game's payoffs, 0 until its end. Chance moves by itself, from the seed given to
    `reset`. Positions are stepped one by one on the CPU; copies (`copy.deepcopy`, pickles) go on
    as the original would.

    Renders as `ansi` (text), `rgb_array` (u8[height, 480, 3]) or `human` (text on stdout, after
    every move). Pictures and texts show the whole position, as to somebody who watches.

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
        self.observation_spaces = {agent: _seen(game) for agent in self.possible_agents}
        self.action_spaces = {a: spaces.Discrete(game.num_actions) for a in self.possible_agents}
        self._rng = np.random.default_rng()

    def observation_space(self, agent: str) -> spaces.Space:
        """A dictionary of `observation` and `action_mask`, the same for both agents."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        """The game's moves, by number."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begins a game; a seed settles what chance will bring in it and in those that follow."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self._skip_agent_selection = None
        self._go_on(_compiled(self.game)[0], self._word())
        self.agent_selection = self.possible_agents[max(self._mover, 0)]
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
        if not (0 <= move < self.game.num_actions and self._legal[move]):
            raise ValueError(f"{agent} may not play {move} here")
        self._cumulative_rewards[agent] = 0.0
        self._go_on(_compiled(self.game)[1], self._word(), self._state, np.int32(move))
        if self._mover >= 0:
            self.agent_selection = self.possible_agents[self._mover]
        else:
            self.agent_selection = next(a for a in self.agents if a != agent)
            self.terminations = dict.fromkeys(self.agents, True)
            self.rewards = dict(zip(self.agents, (self._payoff, -self._payoff), strict=True))
        self._accumulate_rewards()
        if self.render_mode == "human":
            self.render()

    def observe(self, agent: str) -> dict[str, np.ndarray]:
        """What an agent may know, and its legal moves if it is to move."""
        seat = self.possible_agents.index(agent)
        mask = self._legal if seat == self._mover else np.zeros_like(self._legal)
        return {"observation": self._observations[seat].copy(), "action_mask": mask.astype(np.int8)}

    def render(self) -> np.ndarray | str | None:
        """The position as text or as a picture; None where there is nothing to return."""
        if self.render_mode == "rgb_array":
            return _picture(self.game.draw(self._state))
        text = self.game.show(self._state)
        if self.render_mode == "ansi":
            return text
        if self.render_mode == "human":
            print(text, end="\n\n", flush=True)
        return None

    def close(self) -> None:
        """Nothing is open."""

    def _word(self) -> np.uint32:
        """What settles the chance moves that come next."""
        return self._rng.integers(2**32, dtype=np.uint32)

    def _go_on(self, jitted: Callable[..., _Sight], *arguments: Any) -> None:
        # One position at a time is nothing for an accelerator.
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            sight = jitted(*arguments)
        self._state = sight.state
        self._mover, self._payoff = int(sight.mover), float(sight.payoff)
        self._legal, self._observations = np.asarray(sight.legal), np.asarray(sight.observations)


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
