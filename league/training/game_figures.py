"""What a generation's training games were like: draws, length, variety; a run's record keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from numpy.typing import NDArray

from arena.play.device_loop import Played, Record
from games import Game

_CHUNK = 8192  # positions that are hashed at once


@dataclass(frozen=True, eq=False)
class GameCounts:
    """The games of one batch of matches.

    Attributes:
      fingerprints: u64[N], one a game; equal for games of the same positions.
      moves: i64[N], moves that were chosen in each, after the opening.
      draws: games that were drawn.
    """

    fingerprints: NDArray[np.uint64]
    moves: NDArray[np.int64]
    draws: int


def count(played: Played) -> GameCounts:
    """Counts the games of a batch of matches that were recorded.

    Raises:
      ValueError: they were not recorded.
    """
    if played.record is None:
        raise ValueError("the games were not recorded")
    scores = np.asarray(played.scores)
    matches, pairs, _ = scores.shape
    record = Record(*jax.tree.map(np.asarray, tuple(played.record)))
    time, side, group, slot = np.nonzero(record.game < 2 * pairs)
    game = group * 2 * pairs + record.game[time, side, group, slot]
    rows = jax.tree.map(lambda x: x[time, side, group, slot], record.state)
    fingerprints = np.zeros(matches * 2 * pairs, np.uint64)
    np.add.at(fingerprints, game, _hashes(rows))
    moves = np.bincount(game, minlength=len(fingerprints))
    return GameCounts(fingerprints, moves, int((scores == 0.5).sum()))


def _hashes(states: object) -> NDArray[np.uint64]:
    """A hash u64[N] of every position [N, ...]."""
    leaves = [np.ascontiguousarray(leaf) for leaf in jax.tree.leaves(states)]
    parts = [leaf.reshape(len(leaf), -1).view(np.uint8) for leaf in leaves if leaf.size]
    if not parts:
        return np.zeros(0, np.uint64)
    table = np.concatenate(parts, 1)
    rng = np.random.default_rng(0)
    factors = rng.integers(1, 2**64, table.shape[1], np.uint64, endpoint=False) | np.uint64(1)
    chunks = [table[i : i + _CHUNK] for i in range(0, len(table), _CHUNK)]
    sums = np.concatenate([chunk.astype(np.uint64) @ factors for chunk in chunks])
    # Not linear, or the hashes of a game's positions could add up to those of another's.
    mixed = (sums ^ (sums >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (mixed >> np.uint64(29))


def figures(game: Game, batches: Sequence[GameCounts], opening_plies: int) -> dict[str, float]:
    """The figures of all games of a generation, for its record.

    Args:
      game: what was played.
      batches: of its rounds.
      opening_plies: openings are up to so many plies long.

    Returns:
      shares of the games in [0, 1]: `draws`; `distinct_games`, the number of different games among
      them as a share; and, but in games of chance, whose rolls are not recorded, `cut_off`: those
      as long as the limit `max_plies` allows, where openings count as if they had their full
      length. Also `moves`, the mean number of moves that were chosen in a game after the opening,
      and `moves_low` and `moves_high`, what a tenth of the games do not reach and exceed.
    """
    moves = np.concatenate([batch.moves for batch in batches])
    different = np.unique(np.concatenate([batch.fingerprints for batch in batches]))
    low, high = np.quantile(moves, (0.1, 0.9))
    found = {
        "draws": sum(batch.draws for batch in batches) / len(moves),
        "distinct_games": len(different) / len(moves),
        "moves": float(moves.mean()),
        "moves_low": float(low),
        "moves_high": float(high),
    }
    if not game.num_outcomes:
        found["cut_off"] = float((moves >= game.max_plies - opening_plies).mean())
    return found
