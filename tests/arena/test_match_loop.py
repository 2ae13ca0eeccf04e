"""Matches of an imported env: what they give, and what becomes of games and workers that fail."""

from pathlib import Path

import jax
import numpy as np
import pytest

from agents.learners import ppo
from agents.nn import networks
from arena.judges.rules import Rules
from arena.pettingzoo import worker_pool
from arena.pettingzoo.as_game import ImportedGame
from arena.pettingzoo.errors import EnvError
from arena.play import device_loop
from arena.play.openings import random_openings
from arena.types import stack
from tests.helpers import race
from tests.helpers.race import RACE


def _match(game: ImportedGame, slots: int, pairs: int = 12, seed: int = 0, plies: int = 2):
    """Two matches between exploring policies, recorded."""
    policy = ppo.NetworkPolicy(game, networks.MLPConfig(8, 1), explore=True)
    keys = jax.random.split(jax.random.key(seed), 2)
    params = stack([networks.initialise(game, policy.network, key) for key in keys])
    table = device_loop.Match(game, policy, policy, judge=Rules(game), slots=slots, record=True)
    starts = random_openings(game, keys[0], shape=(2, pairs), plies=plies)
    played = table.play(params, params, keys=keys, openings=starts)
    record = jax.tree.map(np.asarray, played.record)
    chosen = (record.game < 2 * pairs).sum((0, 3)).T
    assert (played.moves >= chosen).all()
    assert game.voided or (played.moves == chosen).all()
    return played.scores, record


def _games(
    record: device_loop.Record, group: int, pairs: int
) -> dict[int, list[tuple[int, int, int]]]:
    """By game the sides that moved, the number that they saw and what they played."""
    found: dict[int, list[tuple[int, int, int]]] = {}
    for time, side, slot in np.argwhere(record.game[:, :, group] < 2 * pairs).tolist():
        at = time, side, group, slot
        number = int(record.state.observation[at].argmax())
        row = side, number, int(record.aux.move[at])
        found.setdefault(int(record.game[at]), []).append(row)
    return found


@pytest.mark.parametrize("slots", [1, 4, 12])
def test_every_game_is_played_to_its_end_by_the_rules(race_game: ImportedGame, slots: int):
    scores, record = _match(race_game, slots)
    assert scores.shape == (2, 12, 2)
    assert np.isin(scores, (0, 1)).all()
    assert record.state.observation.dtype == np.int8
    for group in range(2):
        games = _games(record, group, 12)
        assert sorted(games) == list(range(24))
        for number, moves in games.items():
            sides = [side for side, _, _ in moves]
            assert sides == [(number // 12 + i) % 2 for i in range(len(moves))]  # A, then B
            places = [place for _, place, _ in moves]
            steps = [move + 1 for _, _, move in moves]
            assert places[1:] == [a + b for a, b in zip(places, steps, strict=True)][:-1]
            assert places[-1] + steps[-1] in (race.END, race.END + 1)
            assert scores[group, number % 12, number // 12] == (sides[-1] == 0)
        for pair in range(12):  # both games of a pair have the same opening
            assert games[pair][0][1] == games[pair + 12][0][1]
        assert len({moves[0][1] for moves in games.values()}) > 1


def test_a_match_comes_again_to_the_last_bit(race_game: ImportedGame):
    one, two = _match(race_game, 4), _match(race_game, 4)
    jax.tree.map(np.testing.assert_array_equal, one, two)
    assert (_match(race_game, 4, seed=1)[0] != one[0]).any()


@pytest.mark.parametrize("kind", ["die", "hang"])
def test_a_lost_worker_is_replaced_and_its_games_played_anew(kind: str, race_folder: Path):
    accident = race_folder / f"{kind}.once"
    name = f"{RACE}?once={accident}&arena.timeout=2"
    game = ImportedGame(name, worker_pool.check_env(name))
    accident.touch()
    scores, record = _match(game, 4)
    assert not accident.exists()
    assert game.voided > 0
    assert any("a worker" in line for line in game.pool.errors)
    assert np.isin(scores, (0, 1)).all()
    for group in range(2):
        for number, moves in _games(record, group, 12).items():  # nothing of void games is left
            assert moves[-1][1] + moves[-1][2] + 1 >= race.END
            assert moves[0][0] == number // 12
    before = game.voided
    assert np.isin(_match(game, 4)[0], (0, 1)).all()
    assert game.voided == before
    game.pool.close()


def test_an_env_that_always_fails_ends_the_match_in_one_line(race_game: ImportedGame):
    broken = ImportedGame(f"{RACE}?fault=raises", race_game.spec)
    with pytest.raises(
        EnvError, match=r"games failed; the last: step raises RuntimeError: the table"
    ):
        _match(broken, 4)
    broken.pool.close()


@pytest.mark.parametrize(
    ("fault", "line"),
    [("nan", "nan, which is no finite float32"), ("half", "numbers that are no int8")],
)
def test_what_no_network_can_read_ends_the_match_at_once(
    race_game: ImportedGame, fault: str, line: str
):
    broken = ImportedGame(f"{RACE}?fault={fault}", race_game.spec)
    where = r"^pettingzoo:\./race\.py: (ann|bob): an observation holds"
    with pytest.raises(EnvError, match=rf"{where} {line} at ply 3, after the moves") as caught:
        _match(broken, 4)
    assert "\n" not in str(caught.value)
    broken.pool.close()
