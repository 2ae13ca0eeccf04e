"""The sides that `benchmarks.games` and `benchmarks.search` measure, ours and others'."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

CONSIDERED = 16
"""Root moves that a Gumbel search starts from."""


@dataclass(frozen=True)
class Runner:
    """One thing to measure.

    Attributes:
      who: arena, pgx or openspiel.
      mode: bare or observed.
      batch: games at once.
      run: makes about so many steps, and returns how many it has made.
      compile_s: what it took to compile.
      state_bytes: of one position; 0 if not known.
    """

    who: str
    mode: str
    batch: int
    run: Callable[[int], int]
    compile_s: float = 0.0
    state_bytes: int = 0


@dataclass(frozen=True)
class Setting:
    """One search to measure; the fields are those of its lines."""

    game: str
    recipe: str
    simulations: int
    batch: int


@dataclass(frozen=True)
class Searcher:
    """One side of a setting.

    Attributes:
      who: arena or mctx.
      run: makes one search of the whole batch.
      compile_s: what it took to compile.
    """

    who: str
    run: Callable[[], Any]
    compile_s: float


def compiled(who: str, function: Callable[..., Any], states: Any) -> Searcher:
    """A side whose search is a function of positions and a key."""
    key = jax.random.key(0)
    began = time.perf_counter()
    program = jax.jit(function).lower(states, key).compile()
    return Searcher(who, lambda: program(states, key), time.perf_counter() - began)
