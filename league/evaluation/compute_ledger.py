"""What each kind of feedback cost, in forward passes: positions that a network evaluated, those
found in a cache included.

Type 1 trains: the games of self-play and against the pool. Type 2 only measures: evaluations, and
the gate. Gradient steps are no feedback and are not counted.

What a judge cost that is not the rules is counted by itself: by moves and simulations, that is by
the shapes of the batches that it is given, as nothing can be counted within a compiled search.
"""

from dataclasses import dataclass

import numpy as np

from arena.types import Agent, HostAgent, Judge, Policy


def evaluations(player: Agent | HostAgent | Policy) -> int:
    """Positions that a network evaluates for one move of an agent, or of a `Policy`."""
    policy = player.policy if isinstance(player, Agent) else player
    return 0 if isinstance(policy, HostAgent) else getattr(policy, "evaluations", 0)


def passes(moves: np.ndarray, a: Agent | HostAgent | Policy, b: Agent | HostAgent | Policy) -> int:
    """Forward passes behind the moves i32[G, 2] of agents A and B."""
    return int(moves[:, 0].sum()) * evaluations(a) + int(moves[:, 1].sum()) * evaluations(b)


@dataclass
class JudgeCost:
    """What a judge has been asked for while matches were played.

    Attributes:
      moves: that were made; after each of them a compiled judge has judged the position.
      searches: positions judged in searches, at most.
    """

    moves: int = 0
    searches: int = 0

    def add(self, moves: int, player: Agent | Policy) -> None:
        """Adds so many moves of a player whose searches ask the same judge."""
        self.moves += moves
        self.searches += moves * verdicts(player)

    def positions(self, judge: Judge, games: int, *, compiled: bool) -> int:
        """How many positions the judge was given, at most.

        A judge that is compiled judges whole batches, those positions that are wanted among them:
        one for each move in a match. One with code outside the device, and any that is asked where
        games are played there, is given the ends of games alone.

        Args:
          judge: the judge.
          games: that were judged.
          compiled: whether the rules are.
        """
        whole = compiled and judge.seconds_spent() is None
        return self.searches + (self.moves if whole else games)


def verdicts(player: Agent | Policy) -> int:
    """Positions that the searches of an agent, or of a `Policy`, have judged for one move."""
    policy = player.policy if isinstance(player, Agent) else player
    return getattr(policy, "verdicts", 0)


def nothing() -> dict[str, int]:
    """Forward passes of both types before a generation: zero."""
    return {"type_1": 0, "type_2": 0}
