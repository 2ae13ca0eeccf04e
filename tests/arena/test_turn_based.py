"""Turn-based envs of Gymnasium, and of old Gym, as games of Arena."""

from pathlib import Path

import pytest

from arena.pettingzoo import validate
from arena.pettingzoo.adapter import OVER, EnvAdapter, read_spaces
from arena.pettingzoo.env_names import creator, parse
from arena.pettingzoo.errors import EnvError

FILE = """
import gymnasium
import numpy as np
from gymnasium import spaces

class Sticks(gymnasium.Env):
    "Seven sticks; whoever takes the last one wins."
    metadata = {"render_modes": ["ansi"]}

    def __init__(self, masked=True, first=False, old=False, render_mode=None):
        self.action_space = spaces.Discrete(3)
        self.observation_space = spaces.Box(0, 7, (1,), np.int8)
        self.masked, self.first, self.old, self.render_mode = masked, first, old, render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left, self.current_player = 7, 1
        return np.array([7], np.int8), {}

    def legal_actions(self):
        return [a for a in range(3) if a < self.left] if self.masked else None

    def step(self, action):
        seen = np.array([max(self.left - action - 1, 0)], np.int8)
        if action >= self.left:
            return seen, -1.0, True, False, {"illegal_move": True}
        self.left -= action + 1
        over = self.left == 0
        reward = float(over)
        if self.first and self.current_player == -1:
            reward = -reward
        if not over:
            self.current_player = -self.current_player
        ends = (over,) if self.old else (over, False)
        return seen, reward, *ends, {}

    def render(self): return "|" * self.left

class Pairs(Sticks):
    def __init__(self):
        super().__init__()
        self.action_space = spaces.MultiDiscrete([2, 2])
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file of envs, and few random games."""
    monkeypatch.chdir(tmp_path)
    Path("sticks.py").write_text(FILE)
    for name, value in (("_STARTS", 3), ("_PLIES", 100)):
        monkeypatch.setattr(validate, name, value)


def adapter(name: str) -> EnvAdapter:
    make = creator(parse(name))
    return EnvAdapter(make(), read_spaces(make()), 10**6)


@pytest.mark.parametrize("options", ["", "?first=true&arena.reward=first", "?old=true"])
def test_two_play_in_turn(options: str):
    name = f"pettingzoo:./sticks.py:Sticks{options}"
    found = validate.check_env(name)
    assert (found.num_actions, found.shape, found.masked) == (3, (1,), True)
    assert found.copyable
    assert found.reproducible
    assert found.add_seat
    assert not found.hidden_or_chance
    assert not any("api_test" in note for note in found.notes)
    game = adapter(name)
    game.start(0)
    movers = []
    for move in (2, 0, 1):  # one stick is left
        movers.append(game.mover)
        game.step(move)
    assert movers == [0, 1, 0]
    assert game.legal().tolist() == [True, False, False]
    twin = game.clone()
    game.step(0)
    assert (game.mover, game.payoff) == (OVER, -1)
    assert twin.mover == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Sticks?masked=false", "it takes . for illegal; a method action_masks.. would say so"),
        ("Sticks?arena.reward=mine", "arena.reward is mover or first, not 'mine'"),
        ("Sticks?arena.reward=1", "arena.reward=1 is no str"),
        ("Pairs", r"its actions are MultiDiscrete\(\[2 2\]\); a game of Arena has discrete ones"),
    ],
)
def test_what_cannot_be_played_is_refused_in_a_line(name: str, says: str):
    with pytest.raises(EnvError, match=says):
        validate.check_env(f"pettingzoo:./sticks.py:{name}")
