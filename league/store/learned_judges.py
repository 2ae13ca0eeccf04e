"""Writing the files of learnt judges, which `agents.judges.learned` reads."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from agents import learners
from agents.judges.learned import FORMAT
from agents.nn.networks import NetworkConfig
from arena.digests import digest
from arena.types import Params
from games import Game
from league.store.files import replacing


def write(
    path: Path, params: Params, *, game: str, rules: Game, network: NetworkConfig, **facts: Any
) -> None:
    """Writes a judge, whole or not at all.

    Args:
      path: of the file.
      params: weights [K, ...].
      game: its name.
      rules: the game.
      network: of each member.
      facts: what else the card is to say: how it was made, and what it is worth.
    """
    card = {
        "format": FORMAT,
        "game": game,
        "game_version": rules.version,
        "rules": repr(rules),
        "network": learners.network_name(network),
        "size": dataclasses.asdict(network),
        "digest": digest(params),
        **facts,
    }
    leaves = {
        jax.tree_util.keystr(place, simple=True, separator="."): np.asarray(leaf)
        for place, leaf in jax.tree_util.tree_leaves_with_path(params)
    }
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, card=np.array(json.dumps(card)), **leaves)
