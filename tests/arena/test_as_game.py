"""A PettingZoo env as a game of Arena: on the host, and as people see it."""

import jax
import numpy as np
import pytest

from agents import uniform
from arena.pettingzoo.as_game import ImportedGame
from arena.play import host_loop, match
from arena.types import Agent, HostAgent
from games import OVER
from tests.helpers import race


class First(HostAgent):
    """Plays the first legal move, outside the device."""

    name = "first"

    def choose(self, game, position):
        return int(np.flatnonzero(position.state.legal)[0])


def test_a_host_agent_meets_a_device_agent_in_it(race_game: ImportedGame):
    device = Agent("uniform", uniform.Uniform(race_game))
    key = jax.random.key(3)
    scores = match.play([First()], [device], race_game, key, 6, 2, 1, 4)
    assert scores.shape == (1, 6, 2)
    assert np.isin(scores, (0, 1)).all()
    told: list[int] = []
    seats = First(), host_loop.Host(device, key)
    final, payoff = host_loop.play(race_game, seats, key, lambda state, move: told.append(move))
    assert int(final.mover) == OVER
    assert sum(told) + len(told) in (race.END, race.END + 1)
    assert payoff == (1 if len(told) % 2 else -1)


def test_a_position_is_shown_and_moves_are_read(race_game: ImportedGame):
    game = race_game
    state = game.deal(jax.random.key(0), 1, 0).position(0).state
    assert game.show(state) == " ".join("1" + "0" * 11)
    assert game.view(state, 0).endswith("moves: 0 1")
    assert game.parse(state, " 1\n") == 1
    for text in ("2", "-1", "", "one"):
        with pytest.raises(ValueError, match="is no legal move"):
            game.parse(state, text)
    assert game.draw(state).startswith("<svg ")
