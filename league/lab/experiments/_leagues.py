"""Leagues of Arena's own, trained as parts of experiments: a kill goes on where it was."""

import dataclasses
from typing import Any

import league
from games import Game
from league.lab import Work
from league.settings.config import Config, MeasureConfig
from league.training.events import Event

UNMEASURED = MeasureConfig(opponents=1, pairs=1, baseline_pairs=0, opening_plies=0)
"""As little as can be measured beside training; experiments measure what they ask themselves."""


def trained(game: str | Game, config: Config, work: Work, **more: Any) -> league.League:
    """A league that has run to its end, in the part's folder; the part's seed is its seed.

    Args:
      game: its name, or its rules.
      config: of the league, but for the seed.
      work: what the part was given.
      more: as for `league.train`.
    """
    config = dataclasses.replace(config, seed=work.seed)

    def tell(event: Event) -> None:
        work.tell(event.generation / config.generations)

    return league.train(
        game,
        config,
        name="run",
        folder=work.folder,
        resume=(work.folder / "run").is_dir(),
        callback=tell,
        **more,
    )
