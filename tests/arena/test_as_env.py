"""Native games as PettingZoo envs: PettingZoo's own tests, and what these leave out."""

import copy
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pettingzoo
import pytest
from pettingzoo.test import api_test, render_test, seed_test

import arena.pettingzoo as exports
import games
from arena.pettingzoo import validate

# The others take minutes, mostly to compile.
CHEAP = ("connect_four", "kuhn_poker", "matrix", "nim", "phantom_tic_tac_toe", "tic_tac_toe")
EVERY = [
    pytest.param(name, marks=() if name in CHEAP else pytest.mark.slow) for name in games.names()
]
# PettingZoo's own classic envs are excused from these by their names.
USUAL = (
    "ignore:Observation is not a NumPy array",
    "ignore:Observation space for each agent probably",
    "ignore:Observation numpy array is all zeros",
    "ignore:Action mask numpy array is all zeros",
)
pytestmark = [pytest.mark.filterwarnings(text) for text in USUAL]


def module(name: str) -> Any:
    return getattr(exports, f"{name}_v0")


def random_move(env: pettingzoo.AECEnv, rng: np.random.Generator) -> int:
    """A legal one of the selected agent."""
    mask = env.last()[0]["action_mask"]  # pyright: ignore[reportOptionalSubscript]
    return int(rng.choice(np.flatnonzero(mask)))


def played(env: Any, plies: int, seed: int) -> Any:
    """An env after so many random moves."""
    rng = np.random.default_rng(seed)
    env.reset(seed)
    for _ in range(plies):
        env.step(random_move(env, rng))
    return env


@pytest.mark.parametrize("name", EVERY)
def test_it_passes_the_tests_of_pettingzoo(name: str, capsys: pytest.CaptureFixture[str]):
    made = module(name)
    api_test(made.env(), num_cycles=1000)
    api_test(made.raw_env(), num_cycles=1000)
    seed_test(made.env)
    render_test(made.env)


@pytest.mark.parametrize("name", EVERY)
def test_all_pictures_of_a_game_have_one_size(name: str):
    env, rng = module(name).raw_env(render_mode="rgb_array"), np.random.default_rng(3)
    env.reset(3)
    pictures = [env.render()]
    while not any(env.terminations.values()):
        env.step(random_move(env, rng))
        pictures.append(env.render())
    assert len({picture.shape for picture in pictures}) == 1
    assert not np.array_equal(pictures[0], pictures[-1])


@pytest.mark.slow
@pytest.mark.parametrize("name", games.names())
def test_an_import_finds_what_the_game_says(name: str, tmp_path: Path):
    file = tmp_path / f"{name}_env.py"
    file.write_text(f"from arena.pettingzoo import {name}_v0\n\nenv = {name}_v0.env\n")
    game, found = games.load(name), validate.check_env(f"pettingzoo:{file}")
    assert found.agents == ("player_0", "player_1")
    assert found.num_actions == game.num_actions
    assert (found.masked, found.reproducible, found.copyable) == (True, True, True)
    assert found.hidden_or_chance == (game.num_outcomes > 0 or not game.perfect_information)
    assert found.longest_game <= game.max_plies
    assert found.max_payoff <= game.max_payoff
    # Who wins the first throw of backgammon begins.
    assert found.notes == (("the first player varies with the seed",) * (name == "backgammon"))


def test_every_game_has_a_module():
    for name in games.names():
        assert f"{name}_v0" in dir(exports)
        assert module(name) is module(name)
        assert module(name).raw_env().metadata["name"] == f"{name}_v0"
    with pytest.raises(ImportError, match="chess_960_v0"):
        exec("from arena.pettingzoo import chess_960_v0")


def test_a_game_takes_its_options():
    env = module("hex").env(size=5, swap=True)
    assert env.unwrapped.game == games.load("hex:size=5,swap=true")
    assert exports.aec(games.load("hex:size=5")).game.num_actions == 25
    with pytest.raises(TypeError, match="sise"):
        module("hex").env(sise=5)
    with pytest.raises(ValueError, match="go renders as human, ansi, rgb_array, not as 'svg'"):
        module("go").env(render_mode="svg")


def test_a_seat_observes_what_the_game_gives_it():
    env = played(module("kuhn_poker").raw_env(), 1, 5)
    game, state = env.game, env.session.state
    assert env.agent_selection == "player_1"
    for seat, agent in enumerate(env.agents):
        seen = env.observe(agent)
        expected = np.asarray(game.observe(state, jnp.int32(seat)))
        np.testing.assert_array_equal(seen["observation"], expected)
        assert seen["action_mask"].tolist() == [seat, seat]  # pass and bet, of the mover alone
    assert not np.array_equal(*(env.observe(agent)["observation"] for agent in env.agents))


def test_rewards_are_payoffs():
    env = module("tic_tac_toe").raw_env()
    env.reset()
    for move in (0, 3, 1, 4):
        env.step(move)
        assert set(env.rewards.values()) == {0.0}
    env.step(2)
    assert env.terminations == {"player_0": True, "player_1": True}
    assert env.rewards == {"player_0": 1.0, "player_1": -1.0}
    assert (env.agent_selection, env.last()[1]) == ("player_1", -1.0)
    assert env.render() is None


def test_chance_follows_its_probabilities_and_the_seed():
    env = module("kuhn_poker").raw_env()

    def deal(seed: int | None) -> bytes:
        env.reset(seed)
        return b"".join(env.observe(agent)["observation"].tobytes() for agent in env.agents)

    first = [deal(0)] + [deal(None) for _ in range(1199)]
    counts = np.array(list(Counter(first).values()))
    # Chi-square of six deals, 200 times each: five degrees of freedom, 20.5 is exceeded once in
    # a thousand (any table of the distribution).
    assert len(counts) == 6
    assert ((counts - 200) ** 2 / 200).sum() < 20.5
    assert [deal(0)] + [deal(None) for _ in range(9)] == first[:10]


def test_an_illegal_move_ends_a_wrapped_game(caplog: pytest.LogCaptureFixture):
    env = module("leduc_poker").env()
    env.reset(0)
    agent, mask = env.agent_selection, env.last()[0]["action_mask"]
    env.step(int(mask.argmin()))
    assert "Illegal move" in caplog.text
    assert env.terminations == {"player_0": True, "player_1": True}
    assert env.rewards.pop(agent) == -env.unwrapped.game.max_payoff
    assert list(env.rewards.values()) == [0]


def test_an_illegal_move_of_a_bare_env_raises():
    env = played(module("tic_tac_toe").raw_env(), 0, 0)
    env.step(4)
    for move in (4, -1, 9):
        with pytest.raises(ValueError, match=f"player_1 may not play {move} here"):
            env.step(move)
    with pytest.raises(TypeError):
        env.step(0.0)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_as_the_original(twin: Any):
    env = played(module("leduc_poker").raw_env(), 1, 2)
    other = twin(env)
    for _ in range(5):  # through the card on the table, and the games that follow
        rng = np.random.default_rng(0)
        while not any(env.terminations.values()):
            move = random_move(env, rng)
            env.step(move)
            other.step(move)
            for agent in env.agents:
                one, two = (e.observe(agent) for e in (env, other))
                np.testing.assert_array_equal(one["observation"], two["observation"])
                np.testing.assert_array_equal(one["action_mask"], two["action_mask"])
            assert env.rewards == other.rewards
        env.reset()
        other.reset()


def test_text_and_people(capsys: pytest.CaptureFixture[str]):
    env = module("tic_tac_toe").raw_env(render_mode="ansi")
    env.reset()
    assert env.render() == env.game.show(env.game.init())
    env = module("tic_tac_toe").raw_env(render_mode="human")
    env.reset()
    env.step(4)
    assert capsys.readouterr().out.count("a b c") == 2
    env.close()
