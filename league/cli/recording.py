"""Games that commands write down: who played them, and in what words they are listed."""

import jax

from arena.play.records import Player, SavedGame
from arena.types import Agent, HostAgent
from league.store.checkpoints import digest

PERSON = Player("person")
"""Whoever sits at the terminal."""


def player(agent: Agent | HostAgent) -> Player:
    """An agent's name, and the digest of its weights if it has any."""
    params = agent.params if isinstance(agent, Agent) else ()
    return Player(agent.name, digest(params) if jax.tree.leaves(params) else "")


def result(kept: SavedGame) -> str:
    """What came of a game, in a few characters and the reason if it was not played to its end."""
    if kept.result is None:
        score = "*"
    elif abs(kept.result) in (0.0, 1.0):
        score = {1.0: "1-0", 0.0: "½-½", -1.0: "0-1"}[kept.result]
    else:
        score = f"{kept.result:+.3g}"
    return f"{score} ({kept.termination})" if kept.termination else score
