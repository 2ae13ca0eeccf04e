"""Circles of agents who beat each other: sign tests of pairs, and the circle that is surest."""

import numpy as np

from arena.evaluation.ratings import Floats, Ints


def sign_test(wins: Ints, games: Ints, chance: Floats) -> Floats:
    """Twice the probability f64[E] of so many wins or more, each of this chance."""
    logs = np.append(0.0, np.cumsum(np.log(np.arange(1, games.max() + 1))))
    tails = np.empty(len(wins))
    for e, (w, g, c) in enumerate(zip(wins, games, chance, strict=True)):
        k = np.arange(w, g + 1)
        ways = logs[g] - logs[k] - logs[g - k]
        tails[e] = np.exp(ways + k * np.log(c) + (g - k) * np.log1p(-c)).sum()
    return np.minimum(2 * tails, 1.0)


def surest_cycle(
    winner: Ints, loser: Ints, p_values: Floats, n: int
) -> tuple[tuple[int, ...], float] | None:
    """The circle whose largest p value is the smallest of all circles, and that p value.

    Pairs are taken from the surest on until they close a circle, which goes through the last.

    Args:
      winner, loser: i64[E], players of each pair.
      p_values: f64[E], how likely chance makes the winner look as good.
      n: number of players.

    Returns:
      its players, each beating the next, the lowest number first; None if there is no circle.
    """
    order = np.argsort(p_values, kind="stable")
    if not _circular(winner, loser, n):
        return None
    few, many = 0, len(order)
    while many - few > 1:
        half = (few + many) // 2
        some = order[:half]
        few, many = (few, half) if _circular(winner[some], loser[some], n) else (half, many)
    last = order[many - 1]
    path = _path(winner[order[:many]], loser[order[:many]], int(loser[last]), int(winner[last]))
    lowest = path.index(min(path))
    return tuple(path[lowest:] + path[:lowest]), float(p_values[last])


def _circular(winner: Ints, loser: Ints, n: int) -> bool:
    """Whether some players are left when all are taken away whom nobody left beats, repeatedly."""
    beats = np.zeros((n, n), bool)
    beats[winner, loser] = True
    left = np.ones(n, bool)
    while left.any():
        beaten = beats[left].any(0) & left
        if (beaten == left).all():
            return True
        left = beaten
    return False


def _path(winner: Ints, loser: Ints, start: int, goal: int) -> list[int]:
    """The shortest way from winner to loser, start to goal; there must be one."""
    came = {start: start}
    front = [start]
    while goal not in came:
        after = []
        for player in front:
            for beaten in loser[winner == player].tolist():
                if beaten not in came:
                    came[beaten] = player
                    after.append(beaten)
        front = after
    path = [goal]
    while path[-1] != start:
        path.append(came[path[-1]])
    return path[::-1]
