"""How much better a game went than was expected: what positions turn out to be worth.

A result is right and noisy, since it hangs on every later move; what was expected at the next
position is neither. lambda weighs them against each other, as in TD(lambda).
"""

import numpy as np

_LEAST = -50.0
"""The logarithm of a likelihood that is as good as none, but no zero."""


def advantages(
    value: np.ndarray, outcome: np.ndarray, last: np.ndarray, *, td_lambda: float
) -> np.ndarray:
    """Generalised advantage estimates (J. Schulman et al., arXiv:1506.02438), undiscounted.

    Args:
      value: f32[N], what was expected before each move, by one seat's scale throughout a game; the
        moves of a game lie together, in the order of play.
      outcome: f32[N], what that seat got in the end.
      last: bool[N], the last of these moves in a game.
      td_lambda: lambda, in [0, 1].

    Returns:
      f32[N].
    """
    following = np.where(last, outcome, np.append(value[1:], 0.0))
    surprise = (following - value).astype(np.float32)
    advantage = surprise.copy()
    # Backwards through all games at once: the k-th move from the end of each.
    ends = np.flatnonzero(last)
    starts = np.append(0, ends[:-1] + 1)
    lengths = ends - starts + 1
    for k in range(1, lengths.max(initial=0)):
        at = ends[lengths > k] - k
        advantage[at] += np.float32(td_lambda) * advantage[at + 1]
    return advantage


def likelihoods(
    log_ratio: np.ndarray, side: np.ndarray, game: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How much likelier the moves around each move would have been without exploration.

    Args:
      log_ratio: f32[N], log of each move's probability without exploration by that with it; the
        moves of a game lie together, in the order of play.
      side: i64[N], 0 or 1, who moved.
      game: i64[N], in which game.

    Returns:
      f64[N], the other side's moves before it; f64[N], all moves after it.
    """
    ratios = np.asarray(log_ratio, np.float64)
    starts = np.flatnonzero(np.append(True, game[1:] != game[:-1]))
    lengths = np.diff(starts, append=len(game))

    def before(x: np.ndarray) -> np.ndarray:
        total = np.cumsum(x) - x
        return total - np.repeat(total[starts], lengths)

    sides = [before(np.where(side == other, ratios, 0)) for other in (0, 1)]
    whole = np.repeat(np.add.reduceat(ratios, starts), lengths)
    later = whole - sides[0] - sides[1] - ratios
    earlier = np.where(side == 0, sides[1], sides[0])
    return np.exp(np.maximum(earlier, _LEAST)), np.exp(np.maximum(later, _LEAST))
