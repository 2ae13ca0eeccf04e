"""Datasets of games of others: `arena data import` writes them, `arena train --from` reads them.

Games are kept as their moves; the positions, which are hundreds of times larger, are played again
when they are needed.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, overload

import jax
import numpy as np

from arena.digests import digest
from arena.errors import UserError
from arena.types import State
from games import Game
from league.store import datasets
from league.store.files import replacing

FORMAT = "arena-games-2"
_AT_ONCE = 256
"""Games that are played again in one call."""


class MoveLists(NamedTuple):
    """G games as their moves.

    Attributes:
      start: positions [G, ...] in which they began.
      length: i32[G], moves of each, chance outcomes included.
      move: i32[N], those of the first game, then those of the second, and so on.
      outcome: f32[G] in [-1, 1], how each ended for seat 0; 0 where that is not known.
      rating: f32[G, 2], of the seats, in Elo or the like; NaN where it is not known.
    """

    start: State
    length: np.ndarray
    move: np.ndarray
    outcome: np.ndarray
    rating: np.ndarray


class Moves(NamedTuple):
    """N moves with the positions in which a seat made them; those of chance are left out.

    Attributes:
      state: positions [N, ...].
      move: i32[N].
      outcome: f32[N] in [-1, 1], how the game ended for who moved; 0 where that is not known.
      rating: f32[N], of who moved; NaN where it is not known.
    """

    state: State
    move: np.ndarray
    outcome: np.ndarray
    rating: np.ndarray


@dataclass(frozen=True)
class ImportedGames:
    """A dataset in a file.

    Attributes:
      path: of the file.
      games: what it holds.
      digest: SHA-256 of it.
    """

    path: Path
    games: MoveLists
    digest: str


@dataclass(frozen=True)
class RatingScale:
    """How ratings are told to a network; those that are not known count as the mean.

    Attributes:
      mean: of the known ratings, game by game.
      deviation: their standard deviation.
      plays: the rating that a policy plays at if no other is asked for: a tenth are above it.
    """

    mean: float
    deviation: float
    plays: float

    @classmethod
    def of(cls, games: MoveLists) -> "RatingScale":
        """That of some games.

        Raises:
          UserError: fewer than two different ratings are known.
        """
        known = games.rating[np.isfinite(games.rating)].astype(np.float64)
        if not len(known) or known.std() == 0:
            raise UserError("there are not two different ratings in these games: leave --rated out")
        return cls(float(known.mean()), float(known.std()), float(np.quantile(known, 0.9)))

    @overload
    def normalised(self, ratings: float) -> float: ...
    @overload
    def normalised(self, ratings: np.ndarray) -> np.ndarray: ...
    def normalised(self, ratings: float | np.ndarray) -> float | np.ndarray:
        """Ratings in standard deviations from the mean, 0 for those that are not known."""
        if isinstance(ratings, float):
            return (ratings - self.mean) / self.deviation
        found = (ratings - self.mean) / self.deviation
        return np.where(np.isfinite(found), found, 0.0).astype(np.float32)


def positions(game: Game, lists: MoveLists, chosen: np.ndarray) -> Moves:
    """The moves of some games i64[K] in their positions, game by game."""
    first = np.cumsum(lists.length) - lists.length
    parts = []
    for at in range(0, len(chosen), _AT_ONCE):
        some = chosen[at : at + _AT_ONCE]
        longest = 1 << int(lists.length[some].max() - 1).bit_length()  # few shapes to compile for
        column = np.arange(longest)
        there = column < lists.length[some, None]
        moves = lists.move[np.where(there, first[some, None] + column, 0)]
        padded = np.resize(np.arange(len(some)), _AT_ONCE)
        start = jax.tree.map(lambda x, s=some, p=padded: x[s][p], lists.start)
        states, movers = jax.device_get(_replayed(game)(start, moves[padded]))
        kept = there & (movers[: len(some)] >= 0)
        sign = np.where(movers[: len(some)] == 0, 1.0, -1.0).astype(np.float32)
        rating = np.where(sign > 0, lists.rating[some, :1], lists.rating[some, 1:])
        parts.append(
            Moves(
                jax.tree.map(lambda x, k=kept: x[: len(k)][k], states),
                moves[kept],
                (sign * lists.outcome[some, None])[kept],
                rating[kept],
            )
        )
    return jax.tree.map(lambda *x: np.concatenate(x), *parts)


@cache
def _replayed(game: Game):
    """Jitted: starts [B, ...] and moves [B, T] to states [B, T, ...] and who moves i32[B, T]."""

    def ply(state: State, move: jax.Array) -> tuple[State, tuple[State, jax.Array]]:
        return game.step(state, move), (state, game.mover(state))

    def play(start: State, moves: jax.Array) -> tuple[State, jax.Array]:
        return jax.lax.scan(ply, start, moves)[1]

    return jax.jit(jax.vmap(play))


def write(path: Path, games: MoveLists, game: Game) -> None:
    """Writes a dataset, whole or not at all."""
    leaves = datasets.named(games)
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
    places, tree = jax.tree_util.tree_flatten_with_path({"start": game.template()})
    names = [jax.tree_util.keystr(place, simple=True, separator=".") for place, _ in places]
    start = jax.tree.unflatten(tree, [arrays[name] for name in names])["start"]
    rest = {name: arrays[name] for name in MoveLists._fields[1:]}
    return ImportedGames(path, MoveLists(start, **rest), card["digest"])
