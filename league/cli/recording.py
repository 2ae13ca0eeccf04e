"""Games that commands write down: who played them, and in what words they are listed."""

from collections.abc import Sequence
from dataclasses import replace

import jax

from arena.play.recording import PlayedGame
from arena.play.records import Player, SavedGame, saved
from arena.types import Agent, HostAgent
from games import Game
from league.settings import game_names
from league.store.checkpoints import digest

PERSON = Player("person")
"""Whoever sits at the terminal."""


def player(agent: Agent | HostAgent) -> Player:
    """An agent's name, and the digest of its weights if it has any."""
    params = agent.params if isinstance(agent, Agent) else ()
    return Player(agent.name, digest(params) if jax.tree.leaves(params) else "")


def kept_games(
    games: Sequence[PlayedGame], game: Game, a: Agent | HostAgent, b: Agent | HostAgent
) -> list[SavedGame]:
    """The games of one match, or of its shares, in order of their pairs."""
    one, two, name = player(a), player(b), game_names.name_of(game)
    ordered = sorted(games, key=lambda played: played[2:])
    pairs = {key: n for n, key in enumerate(sorted({(g.match, g.pair) for g in games}), 1)}
    return [
        replace(
            saved(
                played.record,
                name,
                (two, one) if played.seat_of_a else (one, two),
                tags={"Round": f"{pairs[played.match, played.pair]}.{played.second + 1}"},
            ),
            seed=None,  # what chance brought did not come from the record's seed
        )
        for played in ordered
    ]


def result(kept: SavedGame) -> str:
    """What came of a game, in a few characters and the reason if it was not played to its end."""
    if kept.result is None:
        score = "*"
    elif abs(kept.result) in (0.0, 1.0):
        score = {1.0: "1-0", 0.0: "½-½", -1.0: "0-1"}[kept.result]
    else:
        score = f"{kept.result:+.3g}"
    return f"{score} ({kept.termination})" if kept.termination else score
