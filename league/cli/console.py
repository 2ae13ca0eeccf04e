"""What a command prints: results on stdout, as a table for people or as JSON for programs."""

import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

stderr = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


_results: TextIO | None = None
"""Where `emit` prints, if not on stdout."""


@contextlib.contextmanager
def results_only() -> Iterator[None]:
    """Keeps stdout for `emit`: whatever else is printed, by anybody's code, goes to stderr."""
    global _results
    _results = sys.stdout
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _results = None


def keep_stdout() -> None:
    """From now on Python alone writes to stdout: what native code prints there goes to stderr."""
    global _results
    own = os.fdopen(os.dup(1), "w", errors="replace")
    os.dup2(2, 1)
    if _results is None:
        sys.stdout = own
    else:
        _results = own


def emit(value: Mapping[str, object]) -> None:
    """One JSON object on a line of stdout; what is no number or infinite becomes null."""
    print(json.dumps(_finite(value), allow_nan=False), file=_results, flush=True)


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout; the first column is left-aligned, the others right.

    On a terminal it is drawn; elsewhere it is plain lines, title and header first, as wide as their
    content and with no space at their ends.
    """
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        print("\n".join([title, *_plain(columns, rows)]))
        return
    view = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        view.add_column(column, justify="right" if i else "left", no_wrap=True)
    for row in rows:
        view.add_row(*row)
    console.print(view)


def _plain(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [columns, *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *rest = zip(cells, widths, strict=True)
        aligned = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        return "  ".join(aligned).rstrip()

    return [line(columns), "  ".join("-" * width for width in widths), *map(line, rows)]
