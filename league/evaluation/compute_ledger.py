"""What each kind of feedback cost, in forward passes: positions that a network was asked about,
answers that it remembered included.

Type 1 trains: the games of self-play and against the pool. Type 2 only tells: measuring, and the
gate. Gradient steps are no feedback and are not counted.
"""

from typing import Any

import numpy as np

from arena.types import Agent, HostAgent
from league.gate.store import Lineage
from league.store.database import Results


def evaluations(player: Any) -> int:
    """Positions that a network is asked about for one move of an agent, or of an `Policy`."""
    policy = player.policy if isinstance(player, Agent) else player
    return 0 if isinstance(policy, HostAgent) else getattr(policy, "evaluations", 0)


def passes(moves: np.ndarray, a: Any, b: Any) -> int:
    """Forward passes behind the moves i32[G, 2] of agents A and B."""
    return int(moves[:, 0].sum()) * evaluations(a) + int(moves[:, 1].sum()) * evaluations(b)


def nothing() -> dict[str, int]:
    """The ledger of a generation that has not begun."""
    return {"type_1": 0, "type_2": 0}


def spent(results: Results) -> dict[str, int]:
    """Forward passes of a run so far: `type_1` and `type_2`."""
    found = [event.get("passes", {}) for event in results.events()]
    total = {kind: sum(one.get(kind, 0) for one in found) for kind in nothing()}
    return {**total, "type_2": total["type_2"] + Lineage(results).passes()}
