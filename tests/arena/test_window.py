"""Several observations at once, for envs that show something only for a while."""

import jax
import numpy as np
import pytest

import league
from arena.errors import UserError
from arena.pettingzoo import env_names
from arena.pettingzoo.errors import EnvError
from arena.play.session import Session
from league.settings import game_names

NAME = "pettingzoo:tests.helpers.recall"


def test_a_position_holds_what_the_mover_saw_at_its_last_turns():
    game = game_names.load(f"{NAME}?arena.window=3")
    session, seen = Session(game, seed=1), []
    while not session.over:
        seen.append(np.asarray(session.state.observation))
        session.push(0)
    ((a, zero),), ((b, _),) = seen[0][-1:], seen[1][-1:]
    assert {abs(a), abs(b), zero} == {1.0, 0.0}
    # The first observation is repeated as long as there are fewer turns.
    assert seen[0].tolist() == [[a, 0]] * 3
    assert seen[2].tolist() == [[a, 0], [a, 0], [0, 1]]
    assert seen[3].tolist() == [[b, 0], [b, 0], [0, 1]]
    one = game_names.load(NAME)
    start = Session(one, seed=1).state
    assert start.observation.tolist() == [a, 0]
    assert jax.eval_shape(one.observe, one.template(), np.int32(0)).shape == (2,)
    assert jax.eval_shape(game.observe, game.template(), np.int32(0)).shape == (6,)
    assert not game.perfect_information, "so there is no search, whose copies would lack it"


@pytest.mark.parametrize("window", ["0", "65", "1.5"])
def test_windows_that_there_are_not_are_refused(window: str):
    with pytest.raises(EnvError, match=r"arena\.window"):
        env_names.parse(f"{NAME}?arena.window={window}")


def test_a_run_from_before_there_were_windows_opens():
    spec = game_names.card(NAME)["env"]
    del spec["window"]
    assert game_names.load(NAME, spec) == game_names.load(NAME)
    with pytest.raises(UserError, match="does not have the keys"):
        game_names.load(NAME, spec | {"windows": 2})


@pytest.mark.slow
def test_only_with_a_window_the_bit_is_learnt(tmp_path):
    """Against uniform play, which names half of its bits: 75 % if all are named, 50 % if not."""
    config = league.default_config(NAME, generations=24, matches=4, pairs=32, slots=16)
    for window, low, high in ((1, 0.4, 0.6), (2, 0.7, 0.8)):
        game = f"{NAME}?arena.window={window}"
        with league.train(game, config, name=f"w{window}", folder=tmp_path) as run:
            score = league.play_match(run.agent("24"), "uniform", game=game, pairs=200)
        assert low < score.score < high
