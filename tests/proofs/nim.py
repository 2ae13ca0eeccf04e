"""Nim's proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel


def _partner(piles: str, misere: bool = False) -> partial[OpenSpiel]:
    return partial(OpenSpiel, f"nim(pile_sizes={piles.replace(' ', ';')},is_misere={misere})")


LOCKSTEP = {
    "nim": _partner("1 3 5 7"),
    "nim:misere=true": _partner("1 3 5 7", misere=True),
    "nim:piles=6 2 9": _partner("6 2 9"),
    "nim:piles=1 1 1,misere=true": _partner("1 1 1", misere=True),
}
STATE_BYTES = 5
