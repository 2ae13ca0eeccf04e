"""Native games side by side with the envs that they port, right ones and wrong ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.pettingzoo.compare import Comparison, Difference, Port
from arena.pettingzoo.errors import EnvError
from games import OVER, Game
from games.kuhn_poker import KuhnPoker
from games.tic_tac_toe import TicTacToe
from tests.helpers import pettingzoo_chess

CLASSIC = "pettingzoo:pettingzoo.classic"
EXPORTED = "from arena.pettingzoo import {name}_v0\n\nenv = {name}_v0.env\n"
CHEAP = ("kuhn_poker",)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, where envs lie."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exported(name: str) -> str:
    """The env that a native game is, as a file of its user."""
    Path(f"my_{name}.py").write_text(EXPORTED.format(name=name))
    return f"pettingzoo:./my_{name}.py"


@pytest.mark.parametrize("spec", ["tic_tac_toe tictactoe_v3", "connect_four connect_four_v3"])
def test_ports_agree_with_pettingzoo(spec: str):
    name, module = spec.split()
    comparison = Port(games.load(name), f"{CLASSIC}.{module}").verify(30, 0)
    assert (comparison.games, comparison.differing, comparison.difference) == (30, 0, None)
    assert comparison.plies > 30 * 5
    assert (comparison.observations_skipped, comparison.masked) == ("", True)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in CHEAP else pytest.mark.slow) for n in games.names()]
)
def test_every_game_agrees_with_the_env_that_it_becomes(name: str):
    comparison = Port(games.load(name), exported(name)).verify(5, 1)
    assert (comparison.games, comparison.difference, comparison.observations_skipped) == (
        5,
        None,
        "",
    )
    assert comparison.plies > 0


def test_whoever_begins_takes_the_seat_that_begins():
    page = Path(__file__).parents[2] / "docs" / "bring-your-game.md"
    code = page.read_text().split("```python\n")[1].split("```")[0]
    usual, turned = '["player_0", "player_1"]', '["player_1", "player_0"]'
    assert usual in code
    Path("turned.py").write_text(code.replace(usual, turned))  # player_0 still begins
    comparison = Port(games.load("nim"), "pettingzoo:./turned.py").verify(10, 0)
    assert (comparison.difference, comparison.observations_skipped) == (None, "")


class Wrong(TicTacToe):
    """Tic-tac-toe, rightly played until the fourth stone lies."""

    def late(self, state: Any) -> jax.Array:
        stones = jax.lax.population_count(state.mine | state.theirs)
        return stones >= 4


@dataclass(frozen=True)
class WrongMover(Wrong):
    def mover(self, state: Any) -> jax.Array:
        mover = super().mover(state)
        return jnp.where(self.late(state) & (mover >= 0), 1 - mover, mover)


@dataclass(frozen=True)
class WrongMoves(Wrong):
    def legal(self, state: Any) -> jax.Array:
        free = super().legal(state)
        first = jnp.arange(9) == free.argmax()
        return jnp.where(self.late(state), free & ~first, free)


@dataclass(frozen=True)
class WrongEnd(Wrong):
    def mover(self, state: Any) -> jax.Array:
        return jnp.where(self.late(state), OVER, super().mover(state))


@dataclass(frozen=True)
class WrongSight(Wrong):
    def observe(self, state: Any, seat: jax.Array) -> jax.Array:
        seen = super().observe(state, seat)
        return jnp.where(self.late(state), seen[:, :, ::-1], seen)


@pytest.mark.parametrize(
    ("game", "what"),
    [
        (WrongMover(), "mover"),
        (WrongMoves(), "legal moves"),
        (WrongEnd(), "end"),
        (WrongSight(), "observation"),
    ],
)
def test_a_wrong_port_is_caught_at_the_first_wrong_ply(game: Game, what: str):
    comparison = Port(game, f"{CLASSIC}.tictactoe_v3").verify(8, 0)
    assert comparison.differing == comparison.games == 8
    found = comparison.difference
    assert found is not None
    assert (found.what, found.ply, found.game) == (what, 4, 0)
    state = game.init()
    for label, action in zip(found.moves, found.actions, strict=True):
        assert TicTacToe.label(TicTacToe(), state, action) == label
        state = game.step(state, jnp.int32(action))
    expected = {
        "mover": ("seat 1", "seat 0"),
        "end": ("over", "not over"),
        "legal moves": ("no other", f"action {np.argmax(TicTacToe().legal(state))}, only here"),
        "observation": ("0 at", "1 there"),
    }[what]
    assert found.native.startswith(expected[0])
    assert found.env == expected[1]


@dataclass(frozen=True)
class HalfPay(KuhnPoker):
    def payoff(self, state: Any) -> jax.Array:
        return super().payoff(state) / 2


def test_a_wrong_payoff_is_caught_at_the_end():
    comparison = Port(HalfPay(), exported("kuhn_poker")).verify(10, 0)
    assert comparison.differing == 10
    found = comparison.difference
    assert found is not None
    assert (found.what, found.ply) == ("payoff", 2)
    assert found.moves in (("pass", "pass"), ("bet", "pass"), ("bet", "bet"))
    paid = float(found.env.removesuffix(" for seat 0"))
    assert found.native == f"{paid / 2:g} for seat 0"


def test_the_difference_after_the_fewest_moves_is_kept():
    comparison = Comparison()
    for ply in (7, 3, 5, 3):
        found = Difference("end", "over", "not over", comparison.games, (), tuple(range(ply)))
        comparison.add(ply, found)
    comparison.add(9, None)
    assert (comparison.games, comparison.differing, comparison.plies) == (5, 4, 27)
    assert comparison.difference is not None
    assert (comparison.difference.ply, comparison.difference.game) == (3, 1)


@dataclass(frozen=True)
class SameCard(KuhnPoker):
    """Deals both seats from a pack each."""

    def chance(self, state: Any) -> jax.Array:
        return jnp.full(3, 1 / 3)


def test_what_chance_cannot_bring_is_a_difference():
    Path("same.py").write_text(
        "from arena.pettingzoo import aec\n"
        "from tests.arena.test_compare import SameCard\n\n"
        "def env(): return aec(SameCard())\n"
    )
    comparison = Port(games.load("kuhn_poker"), "pettingzoo:./same.py").verify(40, 0)
    # Kuhn poker knows no course of chance for a third of the deals: those of two like cards.
    assert 5 <= comparison.differing <= 25
    assert comparison.difference is not None
    assert comparison.difference.what in ("observation", "payoff")


def mirrored(game: Game, state: Any, move: int) -> int:
    return 6 - move


def test_moves_and_observations_are_mapped():
    mirror = """
from pettingzoo.classic import connect_four_v3

class Mirrored(connect_four_v3.raw_env):
    def observe(self, agent):
        seen = super().observe(agent)
        board = seen["observation"][:, ::-1] @ [2.0, 1.0]
        return {"observation": board, "action_mask": seen["action_mask"][::-1]}
    def step(self, action):
        super().step(None if action is None else 6 - action)

def env():
    made = Mirrored()
    for space in made.observation_spaces.values():
        space.spaces["observation"] = type(space.spaces["observation"])(0, 2, (6, 7))
    return made
"""
    Path("mirror.py").write_text(mirror)
    game, env = games.load("connect_four"), "pettingzoo:./mirror.py"

    def seen(native: np.ndarray, env: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * native[:, :, 0] + native[:, :, 1], env[:, ::-1]

    unseen = Port(game, env).verify(8, 0)
    assert unseen.observations_skipped == "the native game's are [6, 7, 2], the env's [6, 7]"
    assert unseen.difference is None  # the board's mirror image is the same game
    unlike = Port(game, env, observations=seen).verify(8, 0).difference
    assert unlike is not None
    assert (unlike.what, unlike.ply) == ("observation", 1)
    both = Port(game, env, moves=mirrored, observations=seen).verify(8, 0)
    assert (both.difference, both.observations_skipped) == (None, "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"moves": lambda *_: 1 / 0}, "mapping the move a3 raises ZeroDivisionError"),
        ({"moves": lambda *_: 4}, "the mapping makes one action, 4, of a3 and b3"),
        ({"observations": lambda a, b: a}, "mapping observations raises ValueError: too many"),
        ({"observations": lambda a, b: None}, "mapping observations raises TypeError"),
    ],
)
def test_a_mapping_that_fails_is_named(options: Any, says: str):
    with pytest.raises(ValueError, match=says):
        Port(TicTacToe(), f"{CLASSIC}.tictactoe_v3", **options).verify(1, 0)


def test_an_env_that_breaks_is_named_with_the_moves():
    Path("broken.py").write_text(
        "from pettingzoo.classic import tictactoe_v3\n"
        "class Broken(tictactoe_v3.raw_env):\n"
        "    def step(self, action):\n"
        "        super().step(action)\n"
        "        assert sum(map(bool, self.board.squares)) < 3, 'three stones'\n"
        "env = Broken\n"
    )
    with pytest.raises(
        EnvError, match=r"step raises AssertionError: three stones .*(\w\d ){2}\w\d$"
    ):
        Port(TicTacToe(), "pettingzoo:./broken.py").verify(1, 0)


@pytest.mark.slow
def test_go_differs_in_long_games_and_in_draws():
    comparison = Port(games.load("go:size=5,komi=7.5"), f"{CLASSIC}.go_v5?board_size=5").verify(
        100, 0
    )
    assert comparison.difference is not None
    found = comparison.difference
    # Ours ends after twice as many plies as there are points.
    assert (found.what, found.ply, found.native) == ("end", 50, "over")
    game, env = games.load("go:size=5,komi=7"), f"{CLASSIC}.go_v5?board_size=5&komi=7"
    found = Port(game, env).verify(100, 0).difference
    assert found is not None
    assert (found.what, found.native, found.env) == ("payoff", "0 for seat 0", "-1 for seat 0")


@pytest.mark.slow
def test_go_with_superko_forbids_more():
    game, env = (
        games.load("go:size=3,komi=0.5,superko=true"),
        f"{CLASSIC}.go_v5?board_size=3&komi=0.5",
    )
    found = Port(game, env).verify(100, 0).difference
    assert found is not None
    assert (found.what, found.native) == ("legal moves", "no other")


@pytest.mark.slow
def test_chess_differs_where_a_draw_can_be_claimed():
    moves, seen = pettingzoo_chess.moves, pettingzoo_chess.observations
    comparison = Port(games.load("chess"), f"{CLASSIC}.chess_v6", moves, seen).verify(6, 0)
    assert comparison.plies > 6 * 200
    if (found := comparison.difference) is not None:
        assert (found.what, found.native, found.env) == ("end", "not over", "over")
