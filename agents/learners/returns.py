"""How much better a game went than was expected: what positions turn out to be worth.

A result is right and noisy, since it hangs on every later move; what was expected at the next
position is neither. lambda says how much of both goes into a target, as in TD(lambda).
"""

import numpy as np


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
