"""A PettingZoo env as a game of Arena: on the host, and as people see it."""

import dataclasses
import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from agents import uniform
from arena.pettingzoo.as_game import ImportedGame
from arena.play import host_loop, match
from arena.play.session import Session
from arena.types import Agent, HostAgent
from tests.helpers import race
from tests.helpers.false_judge import Inverted


class First(HostAgent):
    """Plays the first legal move, outside the device."""

    name = "first"

    def choose(self, game, position):
        return int(np.flatnonzero(position.state.legal)[0])


def test_a_host_agent_meets_a_device_agent_in_it(race_game: ImportedGame):
    device = Agent("uniform", uniform.Uniform(race_game))
    key = jax.random.key(3)
    scores = match.play(
        [First()], [device], race_game, key=key, pairs=6, plies=2, groups=1, slots=4
    )
    assert scores.shape == (1, 6, 2)
    assert np.isin(scores, (0, 1)).all()
    told: list[int] = []
    players = First(), host_loop.HostedAgent(device, key)
    session = Session(race_game, seed=3)
    record = host_loop.play(session, players, callback=lambda seat, label: told.append(int(label)))
    assert session.over
    assert record.moves == tuple(told)
    assert sum(told) + len(told) in (race.END, race.END + 1)
    assert record.result == (1 if len(told) % 2 else -1)


def test_a_session_goes_on_in_the_env_and_takes_nothing_back(race_game: ImportedGame):
    session = Session(race_game, seed=5, judge=Inverted(race_game))
    assert session.seat == 0
    assert session.legal_moves == {"0": 0, "1": 1}
    session.push("1")
    assert session.moves == (1,)
    assert session.view(1).endswith("moves: 0 1")
    np.testing.assert_array_equal(
        session.observation(1), race_game.observe(session.state, jnp.int32(1))
    )
    for look in (session.view, session.observation):
        with pytest.raises(ValueError, match="to the seat to move only"):
            look(0)
    with pytest.raises(ValueError, match="cannot be taken back"):
        session.undo()
    with pytest.raises(ValueError, match="not legal"):
        session.push(2)
    seat = session.seat
    while not session.over:
        seat = session.seat
        session.push(0)
    assert session.result == (-1.0 if seat == 0 else 1.0)  # who moves last wins; not so here
    assert session.record.labels == tuple(map(str, session.moves))


def test_a_position_is_shown_as_its_env_shows_it(race_game: ImportedGame):
    game = dataclasses.replace(race_game, name=f"{race.RACE}?painted=ansi")
    session = Session(game, seed=5)
    session.push("Add  2")
    assert session.view(1) == "at <2>\nmoves: add 1 add 2"
    assert session.legal_moves == {"add 1": 0, "add 2": 1}
    session.push("0")
    assert session.picture == b""
    assert session.record.labels == ("add 2", "add 1")
    games = game.deal(jax.random.key(0), 1, 0)
    assert "at &lt;0&gt;</text>" in game.draw_described(games, 0)
    assert game.seats == ("ann", "bob")
    game.pool.close()
    game = dataclasses.replace(race_game, name=f"{race.RACE}?painted=rgb_array")
    session = Session(game, seed=5)
    session.push("add 2")
    assert session.view(1) == "moves: add 1 add 2"
    pixels = np.asarray(Image.open(io.BytesIO(session.picture)))
    np.testing.assert_array_equal(pixels, np.full((4, 6, 3), 2))
    games = game.deal(jax.random.key(0), 1, 0)
    assert 'href="data:image/png;base64,' in game.draw_described(games, 0)
    game.pool.close()


def test_a_match_on_the_host_obeys_the_judge(race_game: ImportedGame):
    rules, inverted = (
        host_loop.pairs(
            First(),
            First(),
            race_game,
            key=jax.random.key(4),
            count=3,
            plies=2,
            slots=4,
            judge=judge,
        )
        for judge in (None, Inverted(race_game))
    )
    np.testing.assert_array_equal(inverted, 1 - rules)


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
