"""Datasets of games of others: `arena data import` writes them, `arena train --from` reads them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arena.digests import digest, nested
from arena.errors import UserError
from arena.types import State
from games import Game
from league.store import datasets
from league.store.files import replacing

FORMAT = "arena-games-1"


class ImportedMoves(NamedTuple):
    """N moves of games that were played elsewhere.

    Attributes:
      state: positions [N, ...] in which a seat was to move.
      move: i32[N], what it played.
      outcome: f32[N] in [-1, 1], how the game ended for it; 0 where that is not known.
      rating: f32[N], of who moved, in Elo or the like; NaN where it is not known.
      game: i32[N], the number of the game.
    """

    state: State
    move: np.ndarray
    outcome: np.ndarray
    rating: np.ndarray
    game: np.ndarray


@dataclass(frozen=True)
class ImportedGames:
    """A dataset in a file.

    Attributes:
      path: of the file.
      moves: what it holds.
      digest: SHA-256 of it.
    """

    path: Path
    moves: ImportedMoves
    digest: str


def write(path: Path, moves: ImportedMoves, game: Game) -> None:
    """Writes a dataset, whole or not at all."""
    leaves = datasets.named(moves)
    card = {"format": FORMAT, "game": repr(game), "version": game.version, "digest": digest(leaves)}
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, card=np.array(json.dumps(card)), **leaves)


def read(path: Path, game: Game) -> ImportedGames:
    """Reads a dataset of a game.

    Raises:
      UserError: it is not there, is damaged, or is of another game.
    """
    try:
        with path.open("rb") as whole, np.load(whole) as file:
            arrays = dict(file)
        card = json.loads(arrays.pop("card").item())
        if card["format"] != FORMAT:
            raise ValueError("it is of another version of Arena")
        if digest(arrays) != card["digest"]:
            raise ValueError("wrong digest")
    except FileNotFoundError:
        raise UserError(f"there is no dataset {str(path)!r}: arena data import makes one") from None
    except Exception as error:  # a cut zip file shows in many ways
        raise UserError(f"{path} is no dataset that can be read: {error}") from None
    if (card["game"], card["version"]) != (repr(game), game.version):
        raise UserError(f"{path} holds games of {card['game']}, not of {game!r}")
    parts = nested({name: array for name, array in arrays.items() if name.startswith("state.")})
    state = type(game.init())(**parts.get("state", {})) if parts else arrays["state"]
    rest = {name: arrays[name] for name in ImportedMoves._fields[1:]}
    return ImportedGames(path, ImportedMoves(state, **rest), card["digest"])
