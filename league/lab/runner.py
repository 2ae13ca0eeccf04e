"""Runs an experiment: part by part, going on where it was left, to figures, tables and a page."""

import dataclasses
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from arena import interrupt
from arena.errors import UserError
from league.lab import page, store
from league.lab.experiment import Experiment, Json, Part, Results, Work
from league.store import card

FORMAT = 1
"""Of result.json and card.json."""
_OFTEN = 1.0
"""Seconds between two looks that other processes may take at how far it is."""


class Callback(Protocol):
    """Called while an experiment runs."""

    def __call__(self, part: Part, number: int, total: int, share: float) -> None:
        """Part `number` of `total`, from 0, is done to a share in [0, 1]."""
        ...


def _silent(part: Part, number: int, total: int, share: float) -> None:
    """Tells nobody."""


def run(
    experiment: Experiment[Any],
    *,
    quick: bool = False,
    seeds: int | None = None,
    folder: Path = store.FOLDER,
    callback: Callback = _silent,
) -> dict[str, Json]:
    """Does all parts that are not done yet, and writes result.json and the page.

    Parts that were done before by the same code with the same settings are not done again, however
    many seeds it was; one that a kill cut off is done anew.

    Args:
      experiment: what is run.
      quick: in its small size.
      seeds: how many; its own number if None.
      folder: where experiments lie.
      callback: called as parts go on.

    Returns:
      what result.json holds.

    Raises:
      UserError: it runs in another process already.
      KeyboardInterrupt: a stop was asked for; what is done is kept.
    """
    settings = experiment.quick if quick else experiment.full
    if seeds is not None:
        settings = dataclasses.replace(settings, seeds=seeds)
    where = store.place(experiment.name, quick=quick, folder=folder)
    with store.locked(where, experiment.name):
        kept = store.Parts(where, store.identity(experiment, settings))
        told = _card(experiment, settings, quick)
        store.write_json(where / store.CARD, told)
        parts = list(experiment.parts(settings))
        _check(parts)
        shown = _Progress(where, callback)
        done = [_result(kept, part, number, len(parts), shown) for number, part in enumerate(parts)]
        results = Results([(part, one["result"]) for part, one in zip(parts, done, strict=True)])
        seconds = sum(one["seconds"] for one in done)
        result = told | _read(experiment, settings, results) | {"seconds": round(seconds, 1)}
        store.write_json(where / store.RESULT, result)
        result = store.read_result(where / store.RESULT)
        page.write(where / store.PAGE, experiment, result)
        kept.forget_others()
    return result


class _Progress:
    """Calls a callback, and keeps what it was told for other processes, once a second.

    Args:
      folder: of the experiment.
      callback: called with the same.
    """

    def __init__(self, folder: Path, callback: Callback):
        self._path, self._callback, self._written = folder / store.PROGRESS, callback, -_OFTEN

    def __call__(self, part: Part, number: int, total: int, share: float) -> None:
        now = time.monotonic()
        if now - self._written >= _OFTEN:
            self._written = now
            value = {"part": part.key, "done": round(number + share, 3), "total": total}
            store.write_json(self._path, value)
        self._callback(part, number, total, share)


def _check(parts: Sequence[Part]) -> None:
    keys = [part.key for part in parts]
    if len(set(keys)) < len(keys) or not keys:
        raise UserError("an experiment has parts, one of each name and seed")


def _result(
    kept: store.Parts, part: Part, number: int, total: int, callback: Callback
) -> dict[str, Json]:
    if (found := kept.read(part)) is None:
        callback(part, number, total, 0.0)

        def tell(share: float) -> None:
            interrupt.check()
            callback(part, number, total, min(max(share, 0.0), 1.0))

        began = time.monotonic()
        result = part.run(Work(part.seed, kept.work(part), tell))
        found = kept.write(part, result, time.monotonic() - began)
    callback(part, number, total, 1.0)
    interrupt.check()
    return found


def _card(experiment: Experiment[Any], settings: Any, quick: bool) -> dict[str, Json]:
    return {
        "format": FORMAT,
        "experiment": experiment.name,
        "title": experiment.title,
        "claim": experiment.claim,
        "chapter": experiment.chapter,
        "quick": quick,
        "settings": dataclasses.asdict(settings),
        "identity": store.identity(experiment, settings),
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        **card.circumstances(),
    }


def _read(experiment: Experiment[Any], settings: Any, results: Results) -> dict[str, Json]:
    """What an experiment reads off its results."""
    figures = [
        {
            "what": figure.what,
            "expected": figure.expected.text,
            "reading": figure.expected.reading,
            **dataclasses.asdict(figure.measured),
            "passed": bool(figure.passed),
            "source": figure.source,
            "reference": figure.reference,
            "note": figure.note,
        }
        for figure in experiment.figures(settings, results)
    ]
    return {
        "passed": sum(figure["passed"] for figure in figures),
        "figures": figures,
        "tables": [dataclasses.asdict(one) for one in experiment.tables(settings, results)],
        "charts": [dataclasses.asdict(one) for one in experiment.charts(settings, results)],
    }
