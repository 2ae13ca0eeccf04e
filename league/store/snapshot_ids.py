"""Names of snapshots: `17` is the main agent after generation 17, `17e2` exploiter 2 after it."""

import re

from league.store.database import Exploiter


def split(name: str) -> tuple[int, int] | None:
    """Generation and member's number of a name such as 17 or 17e2; None if it is none."""
    found = re.fullmatch(r"(0|[1-9]\d*)(?:e([1-9]\d*))?", name, re.ASCII)
    return (int(found[1]), int(found[2] or 0)) if found else None


def order(generations: int, exploiters: list[Exploiter]) -> list[str]:
    """Names of the pool before a generation, oldest first, of one age the main agent last."""
    names = [(generation, 1, 0, str(generation)) for generation in range(generations)]
    names += [(e.generation, 0, e.number, e.id) for e in exploiters]
    return [name for *_, name in sorted(names)]
