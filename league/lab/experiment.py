"""What an experiment is; the README of this folder shows how to write one."""

import inspect
import re
import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Generic, TypeVar

from league.lab.charts import Chart
from league.lab.estimates import Accept, Estimate

Json = Any
"""What `json` can write: dicts, lists, texts, numbers; numpy's arrays and numbers too."""


class Chapter(StrEnum):
    """The questions that the laboratory answers, in the order in which its story is told."""

    RULES = "The rules as judge"
    LEAGUE = "What a league adds"
    GAMED = "How a judge is gamed"
    GATE = "What a gate can promise"
    DATA = "What data tells beforehand"
    TRANSFER = "What does not transfer"


class Source(StrEnum):
    """Where an expected figure comes from."""

    THEOREM = "theorem"
    RECOMPUTED = "recomputed"
    PUBLISHED = "published"
    PROPOSED = "proposed"


@dataclass(frozen=True)
class Settings:
    """The sizes of an experiment; its own subclass has more of them.

    Attributes:
      seeds: how many repetitions, numbered from 0.
    """

    seeds: int = 5


@dataclass(frozen=True)
class Work:
    """What a part is given while it runs.

    Attributes:
      seed: of everything random in it.
      folder: for what it wants to keep while it works, such as a run; there, and its own.
      tell: called with the share that is done, in [0, 1], now and then.
    """

    seed: int
    folder: Path
    tell: Callable[[float], None] = lambda share: None


@dataclass(frozen=True)
class Part:
    """A piece of work that is done or not done: a kill loses one of them at most.

    Attributes:
      name: letters, digits, `-`, `_`, `.` and `=`; one of each name and seed.
      run: gives its result, which follows from name, settings and seed alone.
      seed: of everything random in it.
    """

    name: str
    run: Callable[[Work], Json]
    seed: int = 0

    @property
    def key(self) -> str:
        """The name of its file."""
        return f"{self.name}@{self.seed}"


class Results(Mapping[str, list[Any]]):
    """What the parts gave: by a part's name a list, one result a seed."""

    def __init__(self, found: Sequence[tuple[Part, Json]]):
        self._lists: dict[str, list[Any]] = {}
        for part, result in found:
            self._lists.setdefault(part.name, []).append(result)

    def __getitem__(self, name: str) -> list[Any]:
        return self._lists[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists)

    def __len__(self) -> int:
        return len(self._lists)


@dataclass(frozen=True)
class Figure:
    """A measured number beside the expected one.

    Attributes:
      what: it is, in a few words.
      expected: which values are as expected.
      measured: what came out.
      source: where the expectation comes from.
      reference: the paper and its table, or how it was recomputed.
      note: how to read it, or what was found about why it does not come out.
    """

    what: str
    expected: Accept
    measured: Estimate
    source: Source
    reference: str = ""
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is as expected."""
        return self.expected.holds(self.measured)


@dataclass(frozen=True)
class Table:
    """More figures than a line each.

    Attributes:
      title: its heading.
      columns: their headings.
      rows: of cells, as they are shown.
      note: how to read it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


S = TypeVar("S", bound=Settings)


class Experiment(ABC, Generic[S]):
    """A claim, and how it is put to the test. One file holds one.

    The docstring of the file is the experiment's page: its first paragraph is the claim, in one
    line of at most 100 characters; sections follow, `Method:`, `Expected:` and `Refuted by:` at
    least, indented, in Markdown.

    Attributes:
      title: heading of its page.
      chapter: the question to which it belongs.
      minutes: that the full size takes on one core.
      full: sizes that the claim is judged by.
      quick: sizes for tests, 20 s at most.
    """

    title: ClassVar[str]
    chapter: ClassVar[Chapter]
    minutes: ClassVar[float]
    full: S
    quick: S

    @abstractmethod
    def parts(self, settings: S) -> Sequence[Part]:
        """All work, in the order in which it is done."""

    @abstractmethod
    def figures(self, settings: S, results: Results) -> Sequence[Figure]:
        """The expected and the measured, from what the parts gave."""

    def charts(self, settings: S, results: Results) -> Sequence[Chart]:
        """What is plotted."""
        return ()

    def tables(self, settings: S, results: Results) -> Sequence[Table]:
        """What is shown in tables of its own."""
        return ()

    @property
    def module(self) -> ModuleType:
        """The file that it is written in."""
        return sys.modules[type(self).__module__]

    @property
    def name(self) -> str:
        """What it is called in commands and folders: the name of its file."""
        path = getattr(self.module, "__arena_file__", None)
        return Path(path).stem if path else self.module.__name__.rpartition(".")[2]

    @property
    def claim(self) -> str:
        """In one line."""
        return " ".join(inspect.cleandoc(self.module.__doc__ or "").partition("\n\n")[0].split())

    @property
    def sections(self) -> dict[str, str]:
        """The rest of its page: Markdown by heading."""
        text = inspect.cleandoc(self.module.__doc__ or "")
        parts = re.split(r"^([A-Z][\w ]*):\n", text, flags=re.M)[1:]
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return {head: textwrap.dedent(body).strip() for head, body in pairs}


REQUIRED = ("Method", "Expected", "Refuted by")
"""Sections that every experiment has."""
