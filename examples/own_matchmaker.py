"""Trains with a matchmaker of one's own: half the time the newest snapshot, else an old one."""

import numpy as np

import league
from league.settings.matchmaking import Pool


def newest_or_old(pool: Pool) -> np.ndarray:
    """The probability to meet each of the n snapshots of the pool, oldest first, f64[n].

    On the command line: `--matchmaker examples/own_matchmaker.py:newest_or_old`.
    """
    weights = 1.0 / np.arange(1, len(pool.losses) + 1)  # the older, the more often
    weights /= 2 * weights.sum()
    weights[-1] += 0.5
    return weights


def main(generations: int = 3) -> None:
    """Trains half of all matches against the pool, and prints whom it has met."""
    with league.train(
        "tic_tac_toe",
        matchmaker=newest_or_old,
        name="own-matchmaker",
        generations=generations,
        pairs=16,
        slots=16,
        pool_share=0.5,
    ) as run:
        played = run.matches("train")
        for row in zip(*(played[key] for key in ("generation", "a", "b", "points")), strict=True):
            print("generation {}: {} against {}, {:.1f} points".format(*row))


if __name__ == "__main__":
    main()
