"""Matrix games."""

from dataclasses import dataclass

import numpy as np

from games._matrix import MatrixGame, State
from games.core import Fact, Facts

_MOST = 255  # what a choice may be in a u8


def _read(text: str) -> np.ndarray:
    """The table f32[rows, columns]; raises ValueError if it is none."""
    try:
        with np.errstate(over="ignore"):
            table = np.array([row.split() for row in text.split(";")], np.float32)
    except ValueError:
        raise ValueError(f"matrix: payoffs={text!r} is not a table of numbers") from None
    if not table.size or max(table.shape) > _MOST:
        raise ValueError(f"matrix: payoffs must have 1 to {_MOST} rows and columns")
    if not np.isfinite(table).all() or not table.any():
        raise ValueError("matrix: payoffs must be finite, and not all of them 0")
    return table


@dataclass(frozen=True)
class Matrix(MatrixGame):
    """A matrix game: a zero-sum game given by its table.

    Rules:
      Seat 0 chooses a row of the table; then seat 1, which has not been shown the row, chooses a
      column. Seat 0 gets the entry there, seat 1 its negative.

    Moves:
      Seat 0's are the rows, seat 1's the columns, from 0; labels count from 1. A is the larger of
      both numbers.

    Observation:
      f32[2 + 2·A].

      - 0 and 1: which seat it is.
      - The next A: the seat's own choice; all 0 before it is made.
      - The last A: the opponent's choice; all 0 before the end.

    Attributes:
      payoffs: the table, `3 -1; -2 4`: rows set apart by semicolons, the payoffs to seat 0 in them
        by spaces. Matching pennies unless given.

    Source:
      en.wikipedia.org/wiki/Normal-form_game
    """

    payoffs: str = "1 -1; -1 1"

    facts = Facts(value=Fact(0.0, "OpenSpiel, sequence_form_lp_test.cc: matrix_mp"))

    def __post_init__(self):
        table = _read(self.payoffs)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "num_actions", max(table.shape))
        object.__setattr__(self, "max_payoff", float(np.abs(table).max()))
        if self.payoffs != Matrix.payoffs:
            object.__setattr__(self, "facts", Facts())

    def show(self, state: State) -> str:
        """The table, with marks at the row and the column that have been chosen."""
        cells = [[f"{x:g}" for x in row] for row in self.table]
        head = [str(column + 1) for column in range(self.table.shape[1])]
        wide = max(len(text) for row in [head, *cells] for text in row) + 2
        rows = [
            f"{'>' if state.first == r + 1 else ' '}{r + 1:3}" + "".join(x.rjust(wide) for x in row)
            for r, row in enumerate(cells)
        ]
        mark = ("^" if state.second == c + 1 else " " for c in range(len(head)))
        ends = ["    " + "".join(x.rjust(wide) for x in row) for row in (head, mark)]
        return "\n".join([ends[0], *rows, ends[1]]).rstrip()

    def draw(self, state: State) -> str:
        """The table; blue is good for seat 0, red for seat 1, and what is chosen is framed."""
        rows, columns = self.table.shape
        wide, high = 120 * columns + 80, 80 * rows + 80
        row, column = int(state.first) - 1, int(state.second) - 1
        parts = [f'<rect width="{wide}" height="{high}" fill="#fdfaf3"/>']
        for c in range(columns):
            parts.append(f'<text x="{120 * c + 120}" y="38" fill="#888">{c + 1}</text>')
        for r in range(rows):
            parts.append(f'<text x="30" y="{80 * r + 100}" fill="#888">{r + 1}</text>')
            parts.extend(self._cell(r, c) for c in range(columns))
        frame = 'fill="none" stroke="#222" stroke-width="5" rx="10"'
        if row >= 0:
            place = f'x="56" y="{80 * row + 56}" width="{120 * columns + 8}" height="88"'
            parts.append(f"<rect {place} {frame}/>")
        if column >= 0:
            place = f'x="{120 * column + 56}" y="56" width="128" height="{80 * rows + 8}"'
            parts.append(f"<rect {place} {frame}/>")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
            'font-family="sans-serif" font-size="28" text-anchor="middle" '
            'dominant-baseline="central">' + "".join(parts) + "</svg>"
        )

    def _cell(self, row: int, column: int) -> str:
        payoff = float(self.table[row, column])
        shade = "#2c5aa0" if payoff > 0 else "#d8433b"
        x, y, depth = 120 * column + 60, 80 * row + 60, abs(payoff) / self.max_payoff
        return (
            f'<rect x="{x + 4}" y="{y + 4}" width="112" height="72" rx="8" fill="{shade}" '
            f'fill-opacity="{0.1 + 0.4 * depth:.2f}"/>'
            f'<text x="{x + 60}" y="{y + 40}" fill="#222">{payoff:g}</text>'
        )

    def label(self, state: State, move: int) -> str:
        """The number of the row or column, counted from 1."""
        return str(move + 1)
