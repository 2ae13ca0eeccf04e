"""Games of OpenSpiel as games of Arena."""

from typing import Any

import numpy as np
import pytest

from arena.pettingzoo import validate
from arena.pettingzoo.adapter import OVER, EnvAdapter, read_spaces
from arena.pettingzoo.env_names import creator, parse
from arena.pettingzoo.errors import EnvError

pyspiel = pytest.importorskip("pyspiel")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    """Few random games: what they would show is declared."""
    for name, value in (("_STARTS", 3), ("_PLIES", 0)):
        monkeypatch.setattr(validate, name, value)


def adapter(name: str) -> EnvAdapter:
    make = creator(parse(name))
    return EnvAdapter(make(), read_spaces(make()), 10**6)


@pytest.mark.parametrize(
    ("name", "shape", "hidden", "payoff", "plies"),
    [
        # Facts of pyspiel's own: max_utility, max_game_length, and the shapes of its tensors.
        ("mancala", (16,), False, 1, 1000),
        ("go(board_size=5)", (5, 5, 4), False, 1, 50),
        ("kuhn_poker", (11,), True, 2, 3),
        ("pig(winscore=10,horizon=40)", (3, 11), True, 1, 40),
        ("matrix_rps", (5,), True, 1, 2),
        ("go(board_size=5)?arena.plies=99&arena.hidden=true", (5, 5, 4), True, 1, 99),
    ],
)
def test_what_pyspiel_declares_is_known(name, shape, hidden, payoff, plies):
    found = validate.check_env(f"open_spiel:{name}")
    assert (found.shape, found.hidden_or_chance) == (shape, hidden)
    assert (found.max_payoff, found.max_plies) == (payoff, plies)
    assert found.copyable
    assert found.reproducible
    assert not found.notes


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("kalah", "^Unknown game 'kalah'$"),
        ("go(size=5)", "^Unknown parameter 'size'"),
        ("hanabi", "^hanabi is no zero-sum game$"),
        ("kuhn_poker(players=3)", r"^kuhn_poker\(players=3\) is for 3 players; "),
        ("phantom_ttt_ir", "gives no tensor of what a player observes"),
        ("mancala?arena.colour=1", "there is no option arena.colour"),
    ],
)
def test_what_cannot_be_played_is_refused_in_a_line(name: str, says: str):
    with pytest.raises(EnvError, match=says):
        validate.check_env(f"open_spiel:{name}")


def test_a_game_goes_as_pyspiel_has_it():
    game = adapter("open_spiel:connect_four")
    theirs = pyspiel.load_game("connect_four").new_initial_state()
    rng = np.random.default_rng(0)
    game.start(0)
    while game.mover != OVER:
        assert game.mover == theirs.current_player()
        seen, legal = game.observe_mover()
        assert np.flatnonzero(legal).tolist() == theirs.legal_actions()
        tensor = np.reshape(theirs.observation_tensor(game.mover), (3, 6, 7))
        np.testing.assert_array_equal(seen, np.moveaxis(tensor, 0, -1))
        twin, move = game.clone(), int(rng.choice(theirs.legal_actions()))
        twin.step(theirs.legal_actions()[-1])  # which changes nothing of the game
        game.step(move)
        theirs.apply_action(move)
    assert theirs.is_terminal()
    assert game.payoff == theirs.returns()[0]


def test_a_seat_is_shown_its_own_cards_only():
    game = adapter("open_spiel:leduc_poker")
    game.start(3)
    env: Any = game.env.unwrapped
    first, second = (env.view_of(agent) for agent in game.spaces.agents)
    assert first != second
    assert "Private" in first
    assert env.action_to_string(1) == "Call"
