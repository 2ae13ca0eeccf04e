"""Nash clusters of a pool are widest below the top: a spinning top of strength and circles.

Method:
  The Nash clusters of a pool: the agents that have weight in its maximum-entropy Nash equilibrium,
  then those of the rest of the pool, and so on (W. Czarnecki et al., "Real world games look like
  spinning tops", NeurIPS 2020, arXiv 2004.09468). A cluster's size tells how many circles there are
  at its strength; its Elo is the mean of its agents' ratings.

  Pools whose geometry is known: agents with a skill alone; rock, paper and scissors; and agents
  with a skill s and an angle, whose circle e^(−|s|)·sin fades with the distance from the middle.
  Then a pool of Arena's own: all snapshots of a league of tic-tac-toe, main exploiters and league
  exploiters among them, each as its network without search, once drawing moves from its policy and
  once making its favourite move. All payoffs are exact: every pair is followed through all
  positions of the game.

Expected:
  Skill alone gives clusters of one, rock-paper-scissors one cluster of three, and the made-up top
  its widest clusters in the middle. Elo falls from each cluster to the next. In the league's pool
  the first cluster, and the last, are smaller than the widest: near perfect play there is nothing
  to go round in, and the weakest lose to all.

Refuted by:
  A league's pool whose widest cluster is its best or its worst one.

Found:
  6 of 9, over three seeds. By their favourite moves the 31 snapshots of a league make a spinning
  top: clusters of 1, 22, 4, 3, 1, of 3, 12, 6, 5, 2, 1, 1, 1 and of 3, 12, 12, 3, 1 from the top
  down, the first and the last smaller than the widest for every seed. What is alone at the very top
  of the first is an exploiter of generation 4. A cluster's mean Elo does not always
  fall where few agents are in it. The same snapshots with moves drawn from their policies have no
  circles at all, clusters of one by strength: what goes round in a pool are the sharp choices, and
  drawing moves averages them out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from arena.evaluation import metagame, ratings
from league.lab import (
    Chapter,
    Chart,
    Estimate,
    Experiment,
    Figure,
    Part,
    Results,
    Settings,
    Source,
    Work,
    at_least,
    between,
    line,
    near,
    over_seeds,
)
from league.lab.experiments import _imitators
from league.lab.experiments._tables import cross, table

MOVES = ("moves drawn", "favourite moves")
"""How the snapshots of a league are made to play."""


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      generations: of the league.
      pairs: of games in each of four matches of a generation.
      width: of the network's two layers.
    """

    generations: int = 20
    pairs: int = 128
    width: int = 64


class SpinningTop(Experiment[Sizes]):
    """See the file."""

    title = "A spinning top"
    chapter = Chapter.LEAGUE
    minutes = 5
    full = Sizes(seeds=3)
    quick = Sizes(seeds=1, generations=2, pairs=16, width=16)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """Pools that are known, and a league a seed."""
        leagues = [
            Part("league", partial(_league, settings), seed) for seed in range(settings.seeds)
        ]
        return [Part("known", _known), *leagues]

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Sizes of clusters where they are known, and in leagues."""
        known, leagues = results["known"][0], results["league"]
        sizes = known["sizes"]
        widest = np.flatnonzero(np.array(sizes["top"]) == max(sizes["top"])).mean()

        def beside(moves: str, place: int) -> Estimate:
            sizes = [one[moves]["sizes"] for one in leagues]
            return over_seeds([float(each[place] - max(each)) for each in sizes])

        return [
            Figure(
                "skill alone: largest cluster",
                near(1, 0),
                over_seeds([max(sizes["skill"])]),
                Source.THEOREM,
            ),
            Figure(
                "rock, paper, scissors: clusters",
                near(1, 0),
                over_seeds([len(sizes["circle"])]),
                Source.THEOREM,
            ),
            Figure(
                "made-up top: where its widest clusters lie, from the top at 0 to 1",
                between(0.2, 0.8),
                over_seeds([widest / (len(sizes["top"]) - 1)]),
                Source.PROPOSED,
            ),
            *(
                Figure(
                    f"league, {moves}: share of clusters with less Elo than the one before",
                    at_least(0.9),
                    over_seeds([one[moves]["falling"] for one in leagues]),
                    Source.PROPOSED,
                )
                for moves in MOVES
            ),
            *(
                Figure(
                    f"league, {moves}: {which} cluster's size less the widest's",
                    between(-np.inf, -1),
                    beside(moves, place),
                    Source.PROPOSED,
                    "W. Czarnecki et al., arXiv 2004.09468",
                )
                for moves in MOVES
                for which, place in (("first", 0), ("last", -1))
            ),
        ]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Size against Elo."""
        top = results["known"][0]
        return [
            *(
                Chart(
                    f"Nash clusters of a league, {moves}",
                    "mean Elo",
                    "agents in the cluster",
                    tuple(
                        line(f"seed {seed}", one[moves]["elo"], one[moves]["sizes"], points=True)
                        for seed, one in enumerate(results["league"][:6])
                    ),
                )
                for moves in MOVES
            ),
            Chart(
                "Nash clusters of the made-up top",
                "mean skill",
                "agents in the cluster",
                (line("clusters", top["skill"], top["sizes"]["top"], points=True),),
            ),
        ]


def clusters(payoffs: np.ndarray) -> list[np.ndarray]:
    """The Nash clusters of antisymmetric payoffs f64[n, n], best first: numbers of agents each."""
    left, found = np.arange(len(payoffs)), []
    while len(left):
        mixture = metagame.nash(payoffs[np.ix_(left, left)]).mixture
        inside = mixture > 1e-9
        found.append(left[inside])
        left = left[~inside]
    return found


def _known(work: Work) -> dict[str, object]:
    """Clusters of pools whose geometry is known."""
    skill = np.arange(10.0)
    circle = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    # Angles by the golden section: whoever is next in strength stands somewhere else.
    levels, angles = np.linspace(-3, 3, 40), 2 * np.pi * np.arange(40) * (5**0.5 - 1) / 2
    fade = np.exp(-np.abs(levels[:, None] + levels) / 2)
    around = np.sin(angles[:, None] - angles)
    top = np.tanh(levels[:, None] - levels) + fade * around
    pools = {"skill": np.tanh(skill[:, None] - skill), "circle": circle, "top": top}
    found = {name: clusters(payoffs) for name, payoffs in pools.items()}
    return {
        "sizes": {name: [len(one) for one in groups] for name, groups in found.items()},
        "skill": [float(levels[one].mean()) for one in found["top"]],
    }


def _league(settings: Sizes, work: Work) -> dict[str, object]:
    """Clusters of all snapshots of a league, with the Elo of each, by how moves are made."""
    made = _imitators.config(settings.generations, pairs=settings.pairs, width=settings.width)
    made = replace(
        made,
        matches=4,
        main_exploiters=1,
        league_exploiters=1,
        pool_share=0.5,
        matchmaker="pfsp",
    )
    known = table(_imitators.GAME)
    with _imitators.train(made, work) as found:
        names = found.snapshots
        drawn = [_imitators.policy(found, name, known) for name in names]
    favourite = [
        np.where(known.over[:, None], 0.0, np.eye(each.shape[1])[each.argmax(1)]) for each in drawn
    ]
    pools = zip(MOVES, (drawn, favourite), strict=True)
    return {moves: _geometry(cross(known, policies)) for moves, policies in pools}


def _geometry(shares: np.ndarray) -> dict[str, object]:
    """Clusters and their Elo, by the shares f64[n, n, 3] of games won, drawn and lost."""
    payoffs, count = shares[..., 0] - shares[..., 2], len(shares)
    counts = np.rint(1000 * shares).astype(np.int64)
    rows = [(i, j, *counts[i, j]) for i in range(count) for j in range(i + 1, count)]
    elo = np.asarray(ratings.fit(np.array(rows), count).elo)
    groups = clusters((payoffs - payoffs.T) / 2)
    means = np.array([elo[group].mean() for group in groups])
    return {
        "sizes": [len(group) for group in groups],
        "elo": means,
        "falling": float((np.diff(means) < 0).mean()) if len(means) > 1 else 1.0,
    }
