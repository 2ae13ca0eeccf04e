"""How each published number of a game is reproduced, and what a game's proof still lacks."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation import enumeration, exploitability
from arena.evaluation.solver import solve
from games import Facts, Game
from tests.helpers import equilibrium


def given(game: Game) -> list[str]:
    """The names of the facts that a game gives."""
    facts = getattr(game, "facts", Facts())
    return [f.name for f in fields(facts) if getattr(facts, f.name) is not None]


def missing(name: str, game: Game, proofs: Mapping[str, Any]) -> list[str]:
    """What a game's proof lacks, one line each; `proofs` are the modules of tests/proofs."""
    lacks = [] if given(game) else [f"{name} gives no facts"]
    if name not in proofs:
        return [*lacks, f"{name} has no module in tests/proofs"]
    partners = {spec.partition(":")[0] for spec in proofs[name].LOCKSTEP}
    return lacks if name in partners else [*lacks, f"{name} has no lockstep partner"]


def orbits(game: Game, depth: int) -> list[int]:
    """Distinct positions after n plies for n = 0 … depth, symmetric ones counted as one.

    Two positions are symmetric if one's observation is an image of the other's and the same
    seat moves. Holds for games of perfect information.
    """
    plies = list(islice(enumeration.levels(game), depth + 1))
    states = jax.tree.map(lambda *x: np.concatenate(x), *[level.states for level in plies])

    def look(state: Any) -> tuple[jax.Array, jax.Array]:
        images, _ = game.symmetries(game.observe(state, jnp.int32(0)), jnp.zeros(game.num_actions))
        return images, game.mover(state)

    images, mover = (np.asarray(x) for x in jax.jit(jax.vmap(look))(states))
    rows = images.reshape(images.shape[0] * images.shape[1], -1)
    _, number = np.unique(rows, axis=0, return_inverse=True)
    # The least image stands for the whole orbit.
    orbit = np.stack([number.reshape(images.shape[:2]).min(1), mover], 1)
    ends = np.cumsum([len(level.over) for level in plies])[:-1]
    return [len(np.unique(part, axis=0)) for part in np.split(orbit, ends)]


REPRODUCE: dict[str, Callable[[Game, Any], Any]] = {
    "perft": lambda game, given: enumeration.perft(game, len(given) - 1),
    "positions": lambda game, given: enumeration.positions(game, len(given) - 1),
    "orbits": lambda game, given: orbits(game, len(given) - 1),
    "games": lambda game, given: enumeration.count_games(game),
    "value": lambda game, given: (
        float(solve(game).value[0]) if game.perfect_information else equilibrium.value(game)
    ),
    "uniform_exploitability": lambda game, given: exploitability.exploitability(game),
    "information_sets": lambda game, given: len(exploitability.sequence_form(game).seat),
}
"""For each field of Facts: from a game and the published value to our own."""
