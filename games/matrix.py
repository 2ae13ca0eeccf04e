"""Matrix games."""

from dataclasses import dataclass

import numpy as np

from games import _svg
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
        return self._draw(int(state.first), int(state.second), int(state.first > 0))

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, but seat 1 learns what seat 0 has chosen only when it has chosen, too."""
        seen = state if seat == 0 or state.second > 0 else self.init()
        return self._draw(int(seen.first), int(seen.second), seat)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The row for seat 0, the column for seat 1."""
        return (f"{'column' if state.first > 0 else 'row'}-{move + 1}",)

    def _draw(self, first: int, second: int, seat: int) -> str:
        """The table with the choices, 0 where there is none, and with the cells of a seat."""
        rows, columns = self.table.shape
        wide, high = 120 * columns + 80, 80 * rows + 80
        names = [(120.0 * c + 120, 38.0, str(c + 1)) for c in range(columns)]
        names += [(30.0, 80.0 * r + 110, str(r + 1)) for r in range(rows)]
        boxes = "".join(self._box(r, c) for r in range(rows) for c in range(columns))
        row_places = [(56, 80 * r + 56, 120 * columns + 8, 88) for r in range(rows)]
        column_places = [(120 * c + 56, 56, 128, 80 * rows + 8) for c in range(columns)]
        places, kind = (column_places, "column") if seat else (row_places, "row")
        cells = (_svg.cell(f"{kind}-{k + 1}", _frame(*p)) for k, p in enumerate(places))
        chosen = "".join(
            f'{_frame(*places[choice - 1])} class="lines" fill="none" stroke="#222" '
            'stroke-width="5"/>'
            for choice, places in ((first, row_places), (second, column_places))
            if choice
        )
        return _svg.picture(wide, high, boxes, _svg.names(names), chosen, *cells)

    def _box(self, row: int, column: int) -> str:
        payoff = float(self.table[row, column])
        shade = "#2c5aa0" if payoff > 0 else "#d8433b"
        x, y, depth = 120 * column + 60, 80 * row + 60, abs(payoff) / self.max_payoff
        return (
            f'<rect x="{x + 4}" y="{y + 4}" width="112" height="72" rx="8" fill="{shade}" '
            f'fill-opacity="{0.1 + 0.4 * depth:.2f}"/>'
            f'<text class="names" x="{x + 60}" y="{y + 50}" fill="#222">{payoff:g}</text>'
        )

    def label(self, state: State, move: int) -> str:
        """The number of the row or column, counted from 1."""
        return str(move + 1)


def _frame(x: int, y: int, width: int, height: int) -> str:
    """A rectangle around a row or a column, without its end."""
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10"'
