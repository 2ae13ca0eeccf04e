"""Games of hidden information tell each seat what it may know, and nothing else.

See tests/helpers/information.py. A game takes part as soon as its proof has a partner that says
what a seat knows (`Position.information`); OpenSpiel's games do.
"""

from functools import partial

import jax
import jax.numpy as jnp
import pytest

import games
from games.kuhn_poker import KuhnPoker, State
from tests.helpers.information import compare, drawn, enumerated
from tests.helpers.lockstep import OpenSpiel
from tests.proofs import proven

PARTNERS = {
    spec: start
    for module in proven().values()
    for spec, start in module.LOCKSTEP.items()
    if not games.load(spec).perfect_information
}
every_partner = pytest.mark.parametrize("spec", PARTNERS)


def _check(spec: str, limit: int) -> None:
    """All histories of a small game; else all short ones, and as many from random games."""
    game = games.load(spec)
    nodes, whole = enumerated(game, limit)
    compare(game, PARTNERS[spec], nodes)
    if not whole:
        compare(game, PARTNERS[spec], drawn(game, -(-limit // game.max_plies), seed=limit))


@every_partner
def test_each_seat_knows_what_it_may_know(spec: str):
    _check(spec, 10_000)


@pytest.mark.slow
@every_partner
def test_each_seat_knows_what_it_may_know_in_many_positions(spec: str):
    _check(spec, 400_000)


def test_small_games_are_enumerated():
    # 6 deals, 3 beginnings of one, and 4 courses of betting that go on, 5 that do not; 54 + 4.
    nodes, whole = enumerated(games.load("kuhn_poker"), 58)
    assert whole
    assert len(nodes.mover) == 58
    nodes, whole = enumerated(games.load("kuhn_poker"), 57)
    assert not whole
    assert nodes.path(len(nodes.mover) - 1) == [2, 1, 1, 1]


class Shown(KuhnPoker):
    """Lets both seats see the card of seat 0."""

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        first = super().observe(state, jnp.int32(0))
        return jnp.concatenate([super().observe(state, seat), first[:3]])


class Unseen(KuhnPoker):
    """Does not tell what was bet."""

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        return super().observe(state, seat)[:3]


class Read(KuhnPoker):
    """Prints both cards for both seats."""

    def view(self, state: State, seat: int) -> str:
        return self.show(state)


class Forgotten(KuhnPoker):
    """Hides the card after the first move, so that a seat that has moved cannot tell any more."""

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        seen = super().observe(state, seat)
        return jnp.where(seen[3:].sum() < 2, seen, seen.at[:3].set(0))


class Barred(KuhnPoker):
    """Nobody may bet against the king."""

    def legal(self, state: State) -> jax.Array:
        mine = (self.mover(state) == 0) == (jnp.arange(2) == 0)
        theirs = jnp.where(mine, 0, jnp.stack([state.first, state.second])).max()
        return jnp.arange(2) < jnp.where(theirs == 4, 1, 2)


class Forgetful(OpenSpiel):
    """Forgets the card as `Forgotten` does."""

    def information(self, seat: int) -> str:
        told = super().information(seat)
        return told if len(told) < 3 else told[1:]


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (Shown(), r"^seat 1 is told too much: after \[\] and after \[0\]$"),
        (Unseen(), r"^seat 1 is told too little: after \[0, 1, 0\] and after \[0, 1, 1\]$"),
        (
            Forgotten(),
            r"^seat 0 is told too little: after \[0, 1, 0, 1\] and after \[1, 0, 0, 1\]$",
        ),
        (Barred(), r"^seat 0 cannot know its moves: after \[0, 1\] and after \[0, 2\]$"),
        (Read(), r"^seat 0 reads too much: after \[2, 0\] and after \[2, 1\]$"),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, KuhnPoker) else "",
)
def test_a_leak_is_found(game: KuhnPoker, message: str):
    with pytest.raises(AssertionError, match=message):
        compare(game, PARTNERS["kuhn_poker"], enumerated(game, 100)[0])


def test_imperfect_recall_is_found():
    game = Forgotten()
    message = r"^seat 0 cannot recall what it did: after \[0, 1, 0, 1\] and after \[1, 0, 0, 1\]$"
    with pytest.raises(AssertionError, match=message):
        compare(game, partial(Forgetful, "kuhn_poker"), enumerated(game, 100)[0])
