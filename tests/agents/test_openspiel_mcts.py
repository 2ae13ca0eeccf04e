"""OpenSpiel's search as an agent, and its twins of our games."""

import jax
import jax.numpy as jnp
import numpy as np
import pyspiel
import pytest

import games
from agents.engines import openspiel_mcts
from agents.engines.openspiel_mcts import Replayed, twin
from arena.types import Position
from games import OVER

TWINS = [
    *("connect_four", "othello", "tic_tac_toe", "gomoku:size=6", "nim:misere=true"),
    *("hex:size=4", "hex:size=3,swap=true", "breakthrough", "english_draughts"),
]


@pytest.mark.parametrize("spec", TWINS)
def test_moves_mean_the_same_to_both(spec: str):
    game, rng = games.load(spec), np.random.default_rng(0)
    look = jax.jit(lambda s: (game.mover(s), game.legal(s), game.payoff(s)))
    step = jax.jit(game.step)
    load = pyspiel.load_game(twin(game).name)
    for _ in range(3):
        state, theirs = game.init(), Replayed(load.new_initial_state(), twin(game))
        while (mover := look(state)[0]) != OVER:
            assert theirs.state.current_player() == mover
            legal = np.flatnonzero(look(state)[1]).tolist()
            assert sorted(theirs.actions()) == legal
            move = int(rng.choice(legal))
            theirs.play(move)
            state = step(state, jnp.int32(move))
        assert theirs.state.is_terminal()
        assert theirs.state.player_return(0) == look(state)[2]


def test_it_wins_where_it_can_and_stops_the_other_from_it():
    game = games.load("connect_four")
    agent = openspiel_mcts.make(game, "200")
    assert agent.name == "openspiel_mcts:200"
    for moves, best in (((3, 0, 3, 0, 3, 1), 3), ((3, 0, 3, 0, 6, 0), 0)):
        assert agent.choose(game, Position(None, moves)) == best


def test_what_it_cannot_play_is_refused():
    for spec in ("chess", "go", "kuhn_poker", "backgammon"):
        with pytest.raises(ValueError, match="openspiel_mcts plays breakthrough, connect_four"):
            openspiel_mcts.make(games.load(spec), "10")
    for argument in ("", "0", "-1", "ten"):
        with pytest.raises(ValueError, match="takes a number of rollouts"):
            openspiel_mcts.make(games.load("tic_tac_toe"), argument)
