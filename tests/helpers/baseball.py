"""Baseball 1987, the Eastern Division of the American League: 13 games a pair, 6 or 7 at home.

The data of Agresti, Categorical Data Analysis (2nd edition, 2002), pp. 437-438, table 10.10, as in
data/baseball.csv of hturner/BradleyTerry2.
"""

import numpy as np

# Home team by visitor, home team's wins and losses. Order: Milwaukee, Detroit, Toronto, New York,
# Boston, Cleveland, Baltimore.
_WON = [
    [0, 4, 4, 4, 6, 4, 6],
    [3, 0, 4, 4, 6, 6, 4],
    [2, 4, 0, 2, 4, 4, 6],
    [3, 5, 2, 0, 4, 4, 6],
    [5, 2, 3, 4, 0, 5, 6],
    [2, 3, 3, 4, 4, 0, 2],
    [2, 1, 1, 2, 1, 3, 0],
]
_LOST = [
    [0, 3, 2, 3, 1, 2, 0],
    [3, 0, 2, 3, 0, 1, 3],
    [5, 3, 0, 4, 3, 2, 0],
    [3, 1, 5, 0, 3, 2, 1],
    [1, 5, 3, 2, 0, 2, 0],
    [5, 3, 4, 3, 2, 0, 4],
    [5, 5, 6, 4, 6, 4, 0],
]

HOME = np.array(
    [(i, j, _WON[i][j], 0, _LOST[i][j]) for i in range(7) for j in range(7) if i != j], np.int64
)
"""Rows (home team, visitor, home team's wins, draws, losses), int[42, 5]."""
