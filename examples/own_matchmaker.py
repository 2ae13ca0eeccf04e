"""Trains with a matchmaker of one's own, which prefers old snapshots."""

import numpy as np

import league
from league.settings.matchmaking import Pool


def oldest(pool: Pool) -> np.ndarray:
    """The probability to meet each of the n snapshots of the pool, oldest first, f64[n].

    On the command line: `--matchmaker examples/own_matchmaker.py:oldest`.
    """
    weights = 1.0 / np.arange(1, len(pool.losses) + 1)
    return weights / weights.sum()


def main(generations: int = 3) -> None:
    """Plays half of all matches against the pool, and prints whom the policy has met.

    The last of the pool is the policy itself before the generation; the record leaves that out.
    """
    measure = league.MeasureConfig(baseline_pairs=16, simulations=8, rollouts=20)
    with league.train(
        "tic_tac_toe",
        learner="ppo",
        matchmaker=oldest,
        name="own-matchmaker",
        generations=generations,
        pairs=16,
        slots=16,
        pool_share=0.5,
        measure=measure,
    ) as run:
        played = run.matches("train")
        for row in zip(*(played[key] for key in ("generation", "a", "b", "points")), strict=True):
            print("generation {}: {} against {}, {:.1f} points".format(*row))


if __name__ == "__main__":
    main()
