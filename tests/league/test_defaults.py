"""The default configuration of every game trains, and within 3 GiB of memory."""

import os

import pytest

import games
from tests.helpers.command import Place, strict_json


@pytest.mark.slow
@pytest.mark.parametrize("game", games.names())
def test_a_generation_of_every_game_fits_into_memory(game: str, place: Place):
    with place.start("train", game, "--generations", "1", "--json", stderr=None) as process:
        assert process.stdout is not None
        lines = [strict_json(line) for line in process.stdout]
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    generations = [line for line in lines if line.get("event") == "generation"]
    assert [line["generation"] for line in generations] == [0, 1]
    assert generations[1]["positions"] > 0
    assert used.ru_maxrss < 3 * 2**20  # KiB; XLA's compiler takes most of it
