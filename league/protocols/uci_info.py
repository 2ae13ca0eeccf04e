"""What the UCI server tells of a search."""

import math
from collections.abc import Callable, Iterator, Sequence

from arena.analysis import Analysis, MoveAnalysis

_MOST_CP = 10_000
_LINE = 20
"""The most moves of a variation that are told."""

Write = Callable[[Sequence[int]], list[str]]
"""A sequence of moves from the position, as the variant writes them."""


def centipawns(value: float) -> int:
    """A value in [-1, 1] on the scale of pawns, by lc0's formula of 2020.

    cp = 90·tan(1.5637541897·q), from github.com/LeelaChessZero/lc0, src/mcts/search.cc. No network
    of ours counts pawns: the figure is a value in another dress.
    """
    found = round(90 * math.tan(1.5637541897 * max(-1.0, min(value, 1.0))))
    return max(-_MOST_CP, min(found, _MOST_CP))


def wdl(value: float, proven: bool) -> str:
    """Win, draw and loss in thousandths.

    A value tells wins less losses, and not how many games are drawn: unless it is proven, a draw
    counts as half a win and half a loss here.
    """
    if proven and value == 0:
        return "0 1000 0"
    wins = round(500 * (1 + max(-1.0, min(value, 1.0))))
    return f"{wins} 0 {1000 - wins}"


def score(value: float, *, proven: bool, plies: int) -> str:
    """`cp N`; or `mate N`, in moves of the winner or the loser, where a win or loss is proven.

    Args:
      value: for the seat to move.
      proven: it is certain.
      plies: to the end of the game.
    """
    if proven and plies and value >= 1:
        return f"mate {(plies + 1) // 2}"
    if proven and plies and value <= -1:
        return f"mate {-(plies // 2)}"
    return f"cp {centipawns(value)}"


def lines(analysis: Analysis, write: Write, *, count: int, show_wdl: bool) -> Iterator[str]:
    """The info lines of an analysis, the best move's first.

    Args:
      analysis: what is known.
      write: writes moves.
      count: how many moves to tell of.
      show_wdl: tell win, draw and loss.
    """
    seconds = max(analysis.seconds, 1e-3)
    common = (
        f"nodes {analysis.simulations} nps {int(analysis.simulations / seconds)} "
        f"hashfull {int(1000 * analysis.filled)} time {int(1000 * analysis.seconds)}"
    )
    others = [move for move in analysis.moves if move.move != analysis.move and move.visits]
    found = [(analysis.value, analysis.proven, analysis.variation)]
    found += [(move.q or 0.0, False, move.variation) for move in others[: count - 1]]
    for number, (value, proven, variation) in enumerate(found, 1):
        told = variation[:_LINE]
        wdl_part = f" wdl {wdl(value, proven)}" if show_wdl else ""
        yield (
            f"info depth {max(1, len(variation))} seldepth {max(1, len(variation))} "
            f"multipv {number} score {score(value, proven=proven, plies=len(variation))}"
            f"{wdl_part} {common} pv {' '.join(write(told))}"
        )


def move_stats(analysis: Analysis, write: Write) -> Iterator[str]:
    """Prior, visits and value of every move, the best last, as lc0 writes its VerboseMoveStats."""
    for move in reversed(analysis.moves):
        yield f"info string {write([move.move])[0]:<5} ({move.move:<4}) {_figures(move)}"
    visits = sum(move.visits for move in analysis.moves)
    yield (
        f"info string node  (   0) N: {visits:>7} (P: 100.00%) (Q: {analysis.value:8.5f}) "
        "(V: -.----)"
    )


def _figures(move: MoveAnalysis) -> str:
    q = " -.-----" if move.q is None else f"{move.q:8.5f}"
    raw = " -.----" if move.raw_value is None else f"{move.raw_value:7.4f}"
    return f"N: {move.visits:>7} (P: {100 * move.prior:5.2f}%) (Q: {q}) (V: {raw})"
