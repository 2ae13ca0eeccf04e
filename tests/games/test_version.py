"""A game whose rules, moves or observations change has another `version`.

versions.json keeps the version of each game and a digest of one of its games: shapes, and at each
ply the legal moves and both seats' observations. `python -m tests.games.test_version` renews it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import CHANCE, OVER, Game
from games.tic_tac_toe import State, TicTacToe

FILE = Path(__file__).with_name("versions.json")
SPECS = (*games.names(), "go:size=5,superko=true", "hex:size=4,swap=true", "nim:misere=true")
Content = dict[str, dict[str, object]]
RENEW = "then renew tests/games/versions.json: python -m tests.games.test_version"


def _shapes(game: Game) -> str:
    state = jax.tree.map(lambda x: f"{x.dtype}{list(x.shape)}", game.template())
    seen = jax.eval_shape(game.observe, game.template(), jax.ShapeDtypeStruct((), np.int32))
    leaves = ",".join(jax.tree.leaves(state))
    return f"{game.num_actions} {game.num_outcomes} {list(seen.shape)} {leaves}"


def _plies(game: Game) -> Iterator[bytes]:
    """Mover, legal moves or outcomes, observations and payoff, along a game that never changes.

    Its moves do not depend on a library's random numbers.
    """

    @jax.jit
    def look(state: Any) -> Any:
        seen = jnp.stack([game.observe(state, jnp.int32(seat)) for seat in (0, 1)])
        return game.mover(state), game.legal(state), seen, game.payoff(state)

    step, chance = jax.jit(game.step), jax.jit(game.chance)
    state = game.init()
    for ply in range(game.max_plies + 1):
        mover, legal, seen, payoff = (np.asarray(x) for x in look(state))
        if mover == CHANCE:
            legal = np.asarray(chance(state)) > 0
        if mover == OVER:
            legal = np.zeros(0, bool)
        # What devices compute may differ in the last digits.
        numbers = np.round(np.append(seen.reshape(-1), payoff), 4) + np.float32(0)
        yield mover.tobytes() + np.packbits(legal).tobytes() + numbers.tobytes()
        if mover == OVER:
            return
        moves = np.flatnonzero(legal)
        state = step(state, jnp.int32(moves[(ply * 2_654_435_761 >> 8) % len(moves)]))


def digest(game: Game) -> str:
    """Of its shapes and of one of its games; the same on every machine."""
    found = hashlib.sha256(_shapes(game).encode())
    for ply in _plies(game):
        found.update(ply)
    return found.hexdigest()[:16]


def fault(spec: str, game: Game, kept: Content) -> str:
    """What is wrong with a game's version, given the file's content; empty if nothing is."""
    if spec not in kept:
        return f"{spec} is not in the file: {RENEW.removeprefix('then ')}"
    now = {"version": game.version, "digest": digest(game)}
    if now == kept[spec]:
        return ""
    if game.version == kept[spec]["version"]:
        return f"{spec}: rules, moves or observations changed; raise `version`, {RENEW}"
    return f"{spec} has version {game.version}, the file {kept[spec]['version']}: " + (
        RENEW.removeprefix("then ")
    )


def renewed(found: dict[str, Game], kept: Content) -> Content:
    """The file's content for some games; ValueError if one changed and its version did not."""
    content: Content = {}
    for spec, game in found.items():
        content[spec] = {"version": game.version, "digest": digest(game)}
        if spec in kept and content[spec] != kept[spec] and game.version == kept[spec]["version"]:
            raise ValueError(fault(spec, game, kept))
    return content


@pytest.mark.parametrize("spec", SPECS)
def test_a_change_raises_the_version(spec: str):
    assert fault(spec, games.load(spec), json.loads(FILE.read_text())) == ""


def test_the_file_has_no_other_games():
    assert set(json.loads(FILE.read_text())) == set(SPECS)


@dataclasses.dataclass(frozen=True)
class Changed(TicTacToe):
    """Seat 1 sees its own stones last."""

    version: int = 1

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        return super().observe(state, jnp.int32(0))


def test_a_change_without_a_new_version_is_found():
    kept = renewed({"game": TicTacToe()}, {})
    assert fault("game", TicTacToe(), kept) == ""
    assert fault("game", Changed(), kept).startswith("game: rules, moves or observations changed")
    assert fault("game", Changed(version=2), kept).startswith("game has version 2, the file 1")
    assert fault("other", TicTacToe(), kept).startswith("other is not in the file")
    with pytest.raises(ValueError, match="raise `version`"):
        renewed({"game": Changed()}, kept)
    assert fault("game", Changed(version=2), renewed({"game": Changed(version=2)}, kept)) == ""


if __name__ == "__main__":
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    old = json.loads(FILE.read_text()) if FILE.exists() else {}
    new = renewed({spec: games.load(spec) for spec in SPECS}, old)
    FILE.write_text(json.dumps(new, indent=2) + "\n")
