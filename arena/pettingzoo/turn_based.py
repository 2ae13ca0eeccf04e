"""A turn-based env of Gymnasium, or of old Gym, as an AEC env for two players.

Gymnasium knows one agent, so that authors of games for two have found ways of their own to say who
is to move and what is legal; the usual ones are understood. Worker processes run this; it must not
load JAX.
"""

import re
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv

from arena.pettingzoo.errors import EnvError

_AGENTS = ("player_0", "player_1")
_REFUSED = re.compile("illegal|invalid", re.IGNORECASE)
_MOVERS = ("current_player", "to_play", "player_to_move", "turn")
_MASKS = (
    "action_masks", "action_mask", "valid_action_mask", "legal_actions", "get_legal_actions",
    "valid_actions", "get_valid_actions", "available_actions", "legal_moves", "get_legal_moves",
)  # fmt: skip


def is_one(env: Any) -> bool:
    """Whether this looks like an env of Gym, which has one action space."""
    return all(hasattr(env, name) for name in ("reset", "step", "action_space"))


class TurnBased(AECEnv):
    """One env of Gym that two agents play in turn.

    The agent to move is what the env's `current_player`, `to_play`, `player_to_move` or `turn`
    says, whoever that names first being player_0; without them the agents alternate. Legal moves
    are an `action_mask` in the observation or the info, or what a method or attribute such as
    `action_masks` or `legal_actions` gives, a mask or a list of numbers; without them all moves
    are legal. Both agents observe what the env has returned last.

    Args:
      env: of Gymnasium, or of old Gym.
      reward: whose it is: `mover` for who has just moved, `first` for player_0, always.

    Raises:
      EnvError: it has no discrete actions, or no observations that can be read.
    """

    def __init__(self, env: Any, *, reward: str = "mover"):
        if reward not in ("mover", "first"):
            raise EnvError(f"arena.reward is mover or first, not {reward!r}")
        if not hasattr(env.action_space, "n"):
            raise EnvError(f"its actions are {env.action_space}; a game of Arena has discrete ones")
        if not hasattr(env, "observation_space"):
            raise EnvError("it has no observation_space")
        self.gym_env, self._of_mover = env, reward == "mover"
        self.render_mode = getattr(env, "render_mode", None)
        metadata = getattr(env, "metadata", None) or {}
        modes = metadata.get("render_modes", metadata.get("render.modes", []))
        self.metadata = {"name": type(env).__name__, **metadata, "render_modes": list(modes)}
        self.possible_agents = list(_AGENTS)
        self._seen_space: Any = _space(env.observation_space)
        self._action_space: Any = _space(env.action_space)

    def observation_space(self, agent: str) -> spaces.Space:
        """Of both agents."""
        return self._seen_space

    def action_space(self, agent: str) -> Any:
        """Of both agents."""
        return self._action_space

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begins a game."""
        try:
            found = self.gym_env.reset(seed=seed)
        except TypeError:  # old Gym
            if hasattr(self.gym_env, "seed"):
                self.gym_env.seed(seed)
            found = self.gym_env.reset()
        told = isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict)
        self._seen, info = found if told else (found, {})
        self.agents = list(_AGENTS)
        self.rewards = dict.fromkeys(_AGENTS, 0.0)
        self._cumulative_rewards = dict.fromkeys(_AGENTS, 0.0)
        self.terminations = dict.fromkeys(_AGENTS, False)
        self.truncations = dict.fromkeys(_AGENTS, False)
        self._first = self._named_mover()
        self.agent_selection = _AGENTS[0]
        self._set_infos(info)

    def _named_mover(self) -> Any:
        """Who is to move, as the env calls it; None if it does not say."""
        for name in _MOVERS:
            found = _read(self.gym_env, name)
            if found is not None and np.ndim(found) == 0:
                return found
        return None

    def _set_infos(self, info: dict[str, Any]) -> None:
        """Infos with the mask of the agent to move."""
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in _AGENTS}
        mask = info.get("action_mask")
        if mask is None:
            found = (_read(self.gym_env, name) for name in _MASKS)
            mask = next((moves for moves in found if moves is not None), None)
        if mask is not None:
            mask = _mask(mask, int(self._action_space.n))
            self.infos[self.agent_selection]["action_mask"] = mask

    def observe(self, agent: str) -> Any:
        """What the env has returned last."""
        return self._seen

    def step(self, action: int | None) -> None:
        """Makes a move of the agent selected."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._seen, reward, *ends, info = self.gym_env.step(action)
        if any(value for key, value in info.items() if _REFUSED.search(str(key))):
            raise EnvError(f"it takes {action} for illegal; a method action_masks() would say so")
        mine = agent if self._of_mover else _AGENTS[0]
        self.rewards = {name: float(reward) * (1 if name == mine else -1) for name in _AGENTS}
        self._cumulative_rewards[agent] = 0.0
        self._accumulate_rewards()
        self.terminations = dict.fromkeys(_AGENTS, bool(ends[0]))
        self.truncations = dict.fromkeys(_AGENTS, bool(ends[-1]) and len(ends) > 1)
        other = _AGENTS[1 - _AGENTS.index(agent)]
        if any(map(bool, ends)) or (named := self._named_mover()) is None:
            self.agent_selection = other
        else:
            self.agent_selection = _AGENTS[0 if named == self._first else 1]
        self._set_infos({} if any(map(bool, ends)) else info)

    def render(self) -> Any:
        """What the env renders."""
        return self.gym_env.render()

    def close(self) -> None:
        """Closes the env."""
        self.gym_env.close()


def _read(env: Any, name: str) -> Any:
    """An attribute of an env, or what a method of that name without arguments returns; else None.

    Wrappers of Gymnasium give no attribute of what they wrap.
    """
    inner = getattr(env, "unwrapped", env)
    found = getattr(env, name, None) if hasattr(type(env), name) else getattr(inner, name, None)
    try:
        return found() if callable(found) else found
    except TypeError:  # it takes arguments
        return None


def _mask(moves: Any, count: int) -> np.ndarray:
    """The mask i8[A] of a mask, or of the numbers of legal moves."""
    array = np.asarray(list(moves) if isinstance(moves, set | range) else moves)
    if array.shape == (count,) and (array.dtype == bool or np.isin(array, (0, 1)).all()):
        return array.astype(np.int8)
    mask = np.zeros(count, np.int8)
    mask[array.astype(int).reshape(-1)] = 1
    return mask


def _space(space: Any) -> Any:
    """A space of Gymnasium, made of one of old Gym if need be."""
    if isinstance(space, spaces.Space):
        return space
    if hasattr(space, "n"):
        return spaces.Discrete(int(space.n))
    if hasattr(space, "low") and hasattr(space, "high"):
        return spaces.Box(np.asarray(space.low), np.asarray(space.high), dtype=space.dtype)
    if isinstance(getattr(space, "spaces", None), dict):
        return spaces.Dict({key: _space(part) for key, part in space.spaces.items()})
    raise EnvError(f"the space {space} cannot be read")
