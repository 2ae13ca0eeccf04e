"""What docs/bring-your-game.md says works as it says."""

import re
from pathlib import Path
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pettingzoo.test import api_test

from arena.errors import UserError
from arena.pettingzoo.as_game import ImportedGame
from league.cli.entry import main
from league.evaluation import ported
from league.settings import game_names
from tests.helpers.command import Place, strict_json

PAGE = Path(__file__).parents[2] / "docs" / "bring-your-game.md"
TINY = """
    --generations 1 --matches 4 --pairs 4 --slots 4 --learner.network.channels 8
    --learner.network.blocks 1 --learner.batch-size 32 --measure.opponents 1 --measure.pairs 2
    --measure.baseline-pairs 2 --measure.simulations 2 --measure.rollouts 2
"""


def blocks(language: str) -> list[str]:
    return re.findall(f"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def commands(verb: str) -> list[list[str]]:
    """All lines of the page that call this command, without `arena` and remarks."""
    lines = (line.partition("#")[0].split()[1:] for line in "".join(blocks("sh")).splitlines())
    return [words for words in lines if words[0] == verb]


@pytest.fixture(autouse=True)
def files(here: Place):
    """The page's files where it says they lie."""
    env, policy, port = blocks("python")
    Path("nim_env.py").write_text(env)
    Path("mine.py").write_text(policy)
    Path("my_nim.py").write_text(port)


def test_it_is_a_page():
    assert len(PAGE.read_text().splitlines()) < 195
    assert all(len(line) <= 100 for line in PAGE.read_text().splitlines())


@pytest.mark.filterwarnings("ignore:Observation")
def test_the_env_is_one(capsys: pytest.CaptureFixture[str]):
    namespace: dict = {}
    exec(Path("nim_env.py").read_text(), namespace)
    api_test(namespace["env"](), num_cycles=1000)


def test_the_port_agrees_with_the_env_and_so_does_our_own(capsys: pytest.CaptureFixture[str]):
    (line,) = commands("verify")
    for words in (line, ["verify", "nim", line[2]]):
        main([*words, "--games", "20", "--json"])
        told = strict_json(capsys.readouterr().out)
        assert (told["games"], told["differing"], told["observations_skipped"]) == (20, 0, "")


def test_snapshots_of_the_env_see_the_port_as_they_saw_the_env():
    env = cast(ImportedGame, game_names.load("pettingzoo:./nim_env.py"))
    native = game_names.load("./my_nim.py:MyNim")
    ported.check(env.name, native)
    seen, there = ported.SeenAsEnv(native, env.spec), env.deal(jax.random.key(0), 1, 0)
    here = native.init()
    for move in (0, 27, 5):
        state = there.position(0).state
        expected = env.observe(state, state.mover)
        np.testing.assert_array_equal(seen.observe(here, seen.mover(here)), expected)
        there.step([0], [move])
        here = seen.step(here, jnp.int32(move))
    env.pool.close()
    with pytest.raises(UserError, match="not the same game: the native game's are"):
        ported.check(env.name, game_names.load("tic_tac_toe"))


def test_people_can_play_the_port():
    game = game_names.load("./my_nim.py:MyNim")
    state = game.init()
    assert game.show(state) == "|\n|||\n|||||\n|||||||"
    assert all(game.parse(state, game.label(state, m)) == m for m in (0, 1, 9, 27))
    with pytest.raises(ValueError, match="'1-2' is not a move here"):
        game.parse(state, "1-2")


@pytest.mark.slow
def test_the_way_to_a_league(place: Place):
    (check,) = commands("check")
    assert place.lines(*check)[0]["num_actions"] == 28
    train, _ = commands("train")
    assert place.lines(*train, *TINY.split())[-1]["event"] == "result"
    (rate,) = commands("rate")
    assert place.lines(*rate)[0]["snapshots"]
    (play,) = commands("play")
    moves = [str(move) for move in range(28)] * 16
    assert place.lines(*play, stdin="\n".join(moves))[0]["payoff"] in (-1, 1)
    meet, search = commands("match")
    assert sum(place.lines(*meet)[0]["pairs"]) == 8
    assert place.lines(*search)[0]["score"] > 0.8
