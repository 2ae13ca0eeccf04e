"""The weights of judges that change while a run goes on, while a program is traced.

A judge is a constant of the programs that it is compiled into, deep inside of searches too; its
weights are an argument of them. They are bound where the argument comes in, for as long as the
program is traced, and found where the judge is called.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from arena.types import Judge, ParametricJudge, Params

_BOUND: ContextVar[tuple[tuple[Judge, Params], ...]] = ContextVar("bound", default=())


@contextmanager
def bound(judge: Judge, params: Params) -> Iterator[None]:
    """Binds a judge's weights while a program is traced; they may be tracers of it.

    Args:
      judge: any.
      params: its weights, or those of the judge that it asks, without leading axes; of no account
        if there are none.
    """
    if judge.weighted is None:
        yield
        return
    token = _BOUND.set((*_BOUND.get(), (judge.weighted, params)))
    try:
        yield
    finally:
        _BOUND.reset(token)


def current(judge: ParametricJudge) -> Params:
    """The weights that are bound to a judge.

    Raises:
      RuntimeError: none are: whoever runs the program does not know that it has an argument more.
    """
    for known, params in reversed(_BOUND.get()):
        if known == judge:
            return params
    raise RuntimeError(f"no weights are bound to {type(judge).__name__}: see arena.judge_weights")
