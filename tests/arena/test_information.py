"""What is hidden or left to chance is found directly, where no position comes twice, too."""

import pytest

from arena.pettingzoo.adapter import EnvAdapter, read_spaces
from arena.pettingzoo.information import found_hidden
from tests.helpers.race import Race


@pytest.mark.parametrize(
    ("fault", "hidden"),
    [("", False), ("unmasked", False), ("first", False), ("secret", True), ("dice", True)],
)
def test_what_one_seat_is_not_shown(fault: str, hidden: bool):
    env, tried = Race(fault), []
    adapter = EnvAdapter(env, read_spaces(env), 5000)
    assert found_hidden(adapter, lambda: Race(fault), tried.append) == hidden
    assert tried


def test_openspiel_says_the_same():
    pyspiel = pytest.importorskip("pyspiel")
    compatibility = pytest.importorskip("shimmy.openspiel_compatibility")
    for name in ("battleship", "phantom_ttt", "connect_four", "breakthrough"):
        game = pyspiel.load_game(name)
        perfect = game.get_type().information == pyspiel.GameType.Information.PERFECT_INFORMATION

        def make(name: str = name):
            return compatibility.OpenSpielCompatibilityV0(game_name=name)

        env = make()
        adapter = EnvAdapter(env, read_spaces(env), 5000)
        assert found_hidden(adapter, make, lambda moves: None) == (not perfect), name
