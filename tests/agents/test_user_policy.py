"""Policies of one's own."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import games
from agents import uniform, user_policy
from arena import extensions
from arena.pettingzoo import aec
from arena.pettingzoo.as_game import ImportedGame
from arena.pettingzoo.env_state import EnvState
from arena.pettingzoo.spec import EnvSpec
from arena.play import match
from arena.types import Forfeit, Position

TIC_TAC_TOE = games.load("tic_tac_toe")
START = Position(jax.tree.map(np.asarray, TIC_TAC_TOE.init()), ())

FILE = """
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import beside

def first(observation, mask):
    return mask.argmax()

def policy(observation, mask):
    '''Wins where it can, at once.'''
    own = observation[:, :, 0].reshape(9)
    for move in np.flatnonzero(mask):
        after = own.copy()
        after[move] = 1
        if any(after[list(line)].all() for line in beside.LINES):
            return move
    return int(np.flatnonzero(mask)[-1])

class Model:
    def predict(self, observation, state=None, episode_start=None, deterministic=False,
                action_masks=None):
        assert observation.shape == (3, 3, 2)
        return np.array(action_masks.argmax()), None

model = Model()

@dataclass
class Plain:
    "As stable_baselines3.PPO."
    move: int

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        return np.array(self.move), None

plain = Plain(0)

class Estimator:
    "As one of scikit-learn."
    n_features_in_ = 18

    def predict(self, X, **params):
        assert not params
        assert X.shape == (1, 18)
        return np.array([0])

estimator = Estimator()

class Hostile:
    def __array__(self, *_, **__): raise RuntimeError("has gradients")
    def __repr__(self): raise RuntimeError("and no text")

def hostile(observation, mask): return Hostile()
def leaves(observation, mask): raise SystemExit(0)

def told(observation, mask):
    policy.seen = observation, mask
    observation[:] = mask[:] = 7
    return 0

def raises(observation, mask):
    return 1 / int(mask[mask == 2].sum())

def half(observation, mask): return 0.5
def nothing(observation, mask): return None
def text(observation, mask): return "e4"
def truth(observation, mask): return True
def many(observation, mask): return mask
def ragged(observation, mask): return [1, [2, 3]]
def empty(observation, mask): return ()
number = 3
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of policies, and one that it imports."""
    monkeypatch.chdir(tmp_path)
    lines = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6]]
    Path("beside.py").write_text(f"LINES = {lines}")
    Path("mine.py").write_text(FILE)
    return "./mine.py"


def test_it_sees_what_the_env_tells(mine: str):
    player = user_policy.make(TIC_TAC_TOE, f"{mine}:told")
    assert isinstance(player, user_policy.UserPolicy)
    assert player.choose(TIC_TAC_TOE, START) == 0
    env = aec(TIC_TAC_TOE)
    env.reset()
    expected = env.observe("player_0")
    for seen, name in zip(player._function.__globals__["policy"].seen, expected, strict=True):
        assert (seen.shape, seen.dtype) == (expected[name].shape, expected[name].dtype)
    assert player.choose(TIC_TAC_TOE, START) == 0  # though it wrote into what it saw


@pytest.mark.parametrize("name", ["first", "model", "plain", "estimator"])
def test_functions_and_models_answer(mine: str, name: str):
    player = user_policy.make(TIC_TAC_TOE, f"{mine}:{name}")
    assert player.name == f"policy:./mine.py:{name}"
    assert player.choose(TIC_TAC_TOE, START) == 0


def test_it_plays_matches(mine: str):
    guest = user_policy.make(TIC_TAC_TOE, mine)
    other = uniform.make(TIC_TAC_TOE, "")
    scores = match.play(
        [guest], [other], TIC_TAC_TOE, key=jax.random.key(0), pairs=100, plies=2, groups=1, slots=20
    )
    assert scores.mean() > 0.55


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("raises", r"raises ZeroDivisionError: division by zero \(mine.py, line \d+\)"),
        ("half", "answers 0.5, not the number of a move"),
        ("nothing", "answers None, not"),
        ("text", "answers 'e4', not"),
        ("truth", "answers True, not"),
        ("many", r"answers array\(\[1, 1, 1, 1, 1, 1, 1, 1, 1\], dtype=int8\), not"),
        ("ragged", r"answers \[1, \[2, 3\]\], not"),
        ("empty", r"answers \(\), not"),
        ("hostile", "answers a Hostile, not"),
        ("leaves", r"raises SystemExit: 0 \(mine.py, line \d+\)"),
    ],
)
def test_bad_answers_are_forfeits(mine: str, name: str, says: str):
    player = user_policy.make(TIC_TAC_TOE, f"{mine}:{name}")
    with pytest.raises(Forfeit, match=f"^policy:./mine.py:{name} {says}"):
        player.choose(TIC_TAC_TOE, START)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("", "'' is neither a module nor a Python file"),
        ("./none.py", "there is no Python file './none.py'"),
        ("./mine.py:none", "./mine.py defines no 'none'"),
        ("./mine.py:number", "./mine.py:number holds 3, neither a function nor able to predict"),
        ("./broken.py", r"./broken.py does not load: KeyError: 'x' \(broken.py, line 2\)"),
        ("./typo.py", "./typo.py does not load: SyntaxError: "),
        ("./leaves.py", r"./leaves.py does not load: SystemExit: 0 \(leaves.py, line 1\)"),
    ],
)
def test_what_is_no_policy(mine: str, argument: str, says: str):
    Path("broken.py").write_text("\n{}['x']")
    Path("typo.py").write_text("def policy(")
    Path("leaves.py").write_text("raise SystemExit(0)")
    with pytest.raises(ValueError, match=f"^{says}"):
        user_policy.make(TIC_TAC_TOE, argument)


def test_it_sees_what_an_imported_env_tells(mine: str):
    spec = EnvSpec(
        agents=("a", "b"), num_actions=2, shape=(2, 2), dtype="int8", low=-1.0, high=4.0,
        masked=True, add_seat=True, hidden_or_chance=False, reproducible=True, copyable=False,
        longest_game=4, max_plies=9, max_payoff=1.0,
    )  # fmt: skip
    game = ImportedGame("pettingzoo:nowhere", spec)
    seen = np.array([[-1, 4], [0, 2]], np.int8)  # which networks get as planes, with the seat
    fields: Any = (np.int32(1), np.array([True, False]), seen, np.float32(0))
    position = Position(EnvState(*fields), ())
    player = user_policy.make(game, f"{mine}:told")
    assert isinstance(player, user_policy.UserPolicy)
    player.choose(game, position)
    observation, mask = player._function.__globals__["policy"].seen
    assert observation.dtype == np.int8
    assert observation.shape == (2, 2)
    assert mask.shape == (2,)


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("./mine.py", ("./mine.py", "")),
        ("./mine.py:first", ("./mine.py", "first")),
        ("./a:b/x:y.py", ("./a:b/x:y.py", "")),
        ("./a:b/x:y.py:first", ("./a:b/x:y.py", "first")),
        ("package.module:first", ("package.module", "first")),
        ("module", ("module", "")),
        ("hex:size=9", ("hex", "size=9")),
    ],
)
def test_a_path_may_have_colons(spec: str, parts: tuple[str, str]):
    assert extensions.split(spec) == parts


def test_a_policy_in_a_folder_with_a_colon(tmp_path: Path):
    path = tmp_path / "a:b" / "x:y.py"
    path.parent.mkdir()
    path.write_text("def policy(observation, mask): return mask.argmax()")
    assert user_policy.make(TIC_TAC_TOE, str(path)).choose(TIC_TAC_TOE, START) == 0
    assert user_policy.make(TIC_TAC_TOE, f"{path}:policy").name == f"policy:{path}:policy"
