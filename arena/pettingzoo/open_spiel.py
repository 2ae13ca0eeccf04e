"""A game of OpenSpiel as an AEC env: `open_spiel:NAME(options)`.

M. Lanctot et al., "OpenSpiel: a framework for reinforcement learning in games" (arXiv:1908.09453).
What a check finds out about other envs by random games, pyspiel declares: whether something is
hidden or left to chance, the largest payoff, the longest game. Worker processes run this; it must
not load JAX.
"""

import copy
from importlib import import_module
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv

from arena.pettingzoo.errors import EnvError

PREFIX = "open_spiel:"
_PLAYERS = ("player_0", "player_1")


class _Position:
    """A position that deep copies clone: pyspiel's own deep copies replay the whole game.

    Attributes:
      state: of pyspiel.
    """

    def __init__(self, state: Any):
        self.state = state

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Position":
        return _Position(self.state.clone())


def load(name: str) -> Any:
    """A game of pyspiel.

    Args:
      name: with its options, as pyspiel takes it, such as `go(board_size=9)`.

    Raises:
      EnvError: OpenSpiel is not installed, or has no such game for two players, in turn and for a
        sum of zero; in one line.
    """
    try:
        pyspiel: Any = import_module("pyspiel")
    except ImportError:
        raise EnvError("OpenSpiel is not installed: pip install open_spiel") from None
    try:
        game = pyspiel.load_game(name)
        kind = game.get_type()
        if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS and game.num_players() == 2:
            game = pyspiel.convert_to_turn_based(game)
            kind = game.get_type()
    except Exception as error:
        raise EnvError(str(error).partition(". Available games")[0]) from None
    if game.num_players() != 2:
        raise EnvError(f"{name} is for {game.num_players()} players; a game of Arena has two")
    if kind.utility != pyspiel.GameType.Utility.ZERO_SUM:
        raise EnvError(f"{name} is no zero-sum game")
    if kind.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
        raise EnvError(f"{name} is not played in turn")
    if not (kind.provides_observation_tensor or kind.provides_information_state_tensor):
        raise EnvError(f"{name} gives no tensor of what a player observes")
    return game


class SpielEnv(AECEnv):
    """A game of OpenSpiel. Chance draws by the seed of `reset`.

    An agent observes the information state where something is hidden, and the observation
    otherwise; planes come with their channels last.

    Args:
      name: with its options, as pyspiel takes it.
      render_mode: ansi or None.

    Raises:
      EnvError: see `load`.
    """

    def __init__(self, name: str, render_mode: str | None = None):
        self.game, self.render_mode = load(name), render_mode
        pyspiel: Any = import_module("pyspiel")
        kind, types = self.game.get_type(), pyspiel.GameType
        hidden = kind.information != types.Information.PERFECT_INFORMATION
        chance = kind.chance_mode != types.ChanceMode.DETERMINISTIC
        self._recalls = kind.provides_information_state_tensor and (
            hidden or not kind.provides_observation_tensor
        )
        self._hidden = hidden
        self.metadata = {
            "name": kind.short_name,
            "render_modes": ["ansi"],
            "arena": {
                "hidden": hidden or chance,
                "payoff": float(max(abs(self.game.max_utility()), abs(self.game.min_utility()))),
                "plies": int(self.game.max_game_length()),
            },
        }
        shape = tuple(
            self.game.information_state_tensor_shape()
            if self._recalls
            else self.game.observation_tensor_shape()
        )
        self._shape = shape
        if len(shape) == 3:
            shape = (*shape[1:], shape[0])
        count = self.game.num_distinct_actions()
        seen = {
            "observation": spaces.Box(-np.inf, np.inf, shape, np.float32),
            "action_mask": spaces.Box(0, 1, (count,), np.int8),
        }
        self.possible_agents = list(_PLAYERS)
        self.observation_spaces = dict.fromkeys(_PLAYERS, spaces.Dict(seen))
        self.action_spaces = dict.fromkeys(_PLAYERS, spaces.Discrete(count))

    def observation_space(self, agent: str) -> spaces.Space:
        """Of both agents."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        """Of both agents."""
        return self.action_spaces[agent]

    @property
    def _state(self) -> Any:
        return self._position.state

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begins a game."""
        self._rng = np.random.default_rng(seed)
        self._position = _Position(self.game.new_initial_state())
        self.agents = list(_PLAYERS)
        self.rewards = dict.fromkeys(_PLAYERS, 0.0)
        self._cumulative_rewards = dict.fromkeys(_PLAYERS, 0.0)
        self.terminations = dict.fromkeys(_PLAYERS, False)
        self.truncations = dict.fromkeys(_PLAYERS, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in _PLAYERS}
        self._resolve_chance()
        self._select()

    def _resolve_chance(self) -> None:
        while self._state.is_chance_node():
            outcomes, chances = zip(*self._state.chance_outcomes(), strict=True)
            weights = np.asarray(chances)
            self._state.apply_action(int(self._rng.choice(outcomes, p=weights / weights.sum())))

    def _select(self) -> None:
        if self._state.is_terminal():
            self.terminations = dict.fromkeys(_PLAYERS, True)
        else:
            self.agent_selection = _PLAYERS[self._state.current_player()]

    def observe(self, agent: str) -> dict[str, np.ndarray]:
        """What an agent observes, and the mask of its moves: zeros unless it is to move."""
        player, state = _PLAYERS.index(agent), self._state
        tensor = state.information_state_tensor if self._recalls else state.observation_tensor
        seen = np.asarray(tensor(player), np.float32).reshape(self._shape)
        if seen.ndim == 3:
            seen = np.moveaxis(seen, 0, -1)
        mask = np.zeros(self.game.num_distinct_actions(), np.int8)
        if not state.is_terminal() and state.current_player() == player:
            mask[state.legal_actions()] = 1
        return {"observation": np.ascontiguousarray(seen), "action_mask": mask}

    def step(self, action: int | None) -> None:
        """Makes a move of the agent selected, and what chance brings after it."""
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        self._state.apply_action(action)
        self._resolve_chance()
        if self._state.is_terminal():  # what is returned before need not sum to zero
            self.rewards = dict(zip(_PLAYERS, self._state.returns(), strict=True))
        self._cumulative_rewards[agent] = 0.0
        self._accumulate_rewards()
        other = _PLAYERS[1 - _PLAYERS.index(agent)]
        self._select()
        if self._state.is_terminal():
            self.agent_selection = other

    def render(self) -> str:
        """The position, all of it."""
        return str(self._state)

    def view_of(self, agent: str) -> str:
        """The position as far as an agent may see it."""
        player, kind = _PLAYERS.index(agent), self.game.get_type()
        if not self._hidden:
            return str(self._state)
        if kind.provides_information_state_string:
            return self._state.information_state_string(player)
        return self._state.observation_string(player) if kind.provides_observation_string else ""

    def action_to_string(self, action: int) -> str:
        """The name of a move of the agent selected."""
        return self._state.action_to_string(self._state.current_player(), action)

    def close(self) -> None:
        """Nothing is left open."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "SpielEnv":
        twin = copy.copy(self)
        for key in ("_position", "_rng", "agents", "rewards", "_cumulative_rewards"):
            twin.__dict__[key] = copy.deepcopy(getattr(self, key), memo)
        return twin
