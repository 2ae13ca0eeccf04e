"""Ids of snapshots: `17` is the main agent after generation 17, `17e2` exploiter 2 after it."""

import re
from collections.abc import Iterable

from league.store.database import Exploiter


def split(name: str) -> tuple[int, int] | None:
    """Generation and league learner's number of an id such as 17 or 17e2; None if it is none."""
    found = re.fullmatch(r"(0|[1-9]\d{0,8})(?:e([1-9]\d{0,8}))?", name, re.ASCII)
    return (int(found[1]), int(found[2] or 0)) if found else None


def pool(generations: int, exploiters: Iterable[Exploiter]) -> list[str]:
    """Ids of the pool before a generation, oldest first, of one age the main agent last.

    Args:
      generations: how many there were before it, the first policy being one.
      exploiters: those that had joined by then.
    """
    ids = [(generation, 1, 0, str(generation)) for generation in range(generations)]
    ids += [(e.generation, 0, e.number, e.id) for e in exploiters]
    return [name for *_, name in sorted(ids)]
