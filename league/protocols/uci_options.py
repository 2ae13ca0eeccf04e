"""The options of the UCI server: what a client is told of them, and what it has set."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from arena.errors import SIMULATIONS, whole_number

MULTI_PV = 218
"""No chess position has more legal moves."""


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
      name: its name.
      kind: `spin`, `check`, `combo`, `string` or `button`.
      default: its value before it is set.
      least: the least value of a spin.
      most: the largest.
      values: those of a combo.
    """

    name: str
    kind: str
    default: str = ""
    least: int = 0
    most: int = 0
    values: tuple[str, ...] = ()

    def line(self) -> str:
        """What a client is told."""
        parts = [f"option name {self.name} type {self.kind}"]
        if self.kind != "button":
            parts.append(f"default {self.default or '<empty>'}")
        if self.kind == "spin":
            parts.append(f"min {self.least} max {self.most}")
        return " ".join([*parts, *(f"var {value}" for value in self.values)])

    def read(self, text: str) -> str:
        """A value as it is kept; raises ValueError, in one line, if the option cannot have it."""
        if self.kind == "spin":
            number = whole_number(text.removeprefix("-"))
            number = -number if number is not None and text.startswith("-") else number
            if number is None or not self.least <= number <= self.most:
                raise ValueError(f"{self.name} takes a number from {self.least} to {self.most}")
            return str(number)
        if self.kind == "check":
            if text.lower() not in ("true", "false"):
                raise ValueError(f"{self.name} takes true or false")
            return text.lower()
        if self.kind == "combo":
            if text not in self.values:
                raise ValueError(f"{self.name} takes {', '.join(self.values)}")
            return text
        return "" if text == "<empty>" else text


@dataclass
class Options:
    """All options of a server, and their values.

    Attributes:
      known: the options, in the order in which a client is told of them.
      values: what has been set, by name in small letters.
    """

    known: tuple[Option, ...]
    values: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, text: str) -> Option:
        """Sets a value; raises ValueError, in one line, if that cannot be done."""
        for option in self.known:
            if option.name.lower() == name.lower():
                self.values[name.lower()] = option.read(text)
                return option
        raise ValueError(f"there is no option {name!r}")

    def text(self, name: str) -> str:
        """A value."""
        defaults: Mapping[str, str] = {o.name.lower(): o.default for o in self.known}
        return self.values.get(name.lower(), defaults.get(name.lower(), ""))

    def number(self, name: str) -> int:
        """The value of a spin; 0 where there is no such option."""
        return int(self.text(name) or 0)

    def on(self, name: str) -> bool:
        """Whether a check is set."""
        return self.text(name) == "true"


def options(*, variants: tuple[str, ...], simulations: int, elo: tuple[int, int] | None) -> Options:
    """All options of a server.

    Args:
      variants: what may be played, the default first.
      simulations: a move, at most; 0 for no limit.
      elo: the ratings between which the strength can be chosen; None if it cannot.
    """
    known = [
        Option("Threads", "spin", "1", 1, 1024),
        Option("Hash", "spin", "64", 1, 1 << 16),
        Option("Ponder", "check", "false"),
        Option("MultiPV", "spin", "1", 1, MULTI_PV),
        Option("Move Overhead", "spin", "50", 0, 10_000),
        Option("Simulations", "spin", str(simulations), 0, SIMULATIONS),
        Option("UCI_ShowWDL", "check", "false"),
        Option("VerboseMoveStats", "check", "false"),
        Option("LogLiveStats", "check", "false"),
        Option("UCI_Opponent", "string"),
        Option("UCI_Variant", "combo", variants[0], values=variants),
    ]
    if elo:
        known += [
            Option("UCI_LimitStrength", "check", "false"),
            Option("UCI_Elo", "spin", str(elo[1]), *elo),
        ]
    return Options(tuple(known))


def split(words: list[str]) -> tuple[str, str]:
    """Name and value in what follows `setoption`; raises ValueError if there is no name."""
    lowered = [word.lower() for word in words]
    if not lowered or lowered[0] != "name":
        raise ValueError("setoption takes name NAME value VALUE")
    end = lowered.index("value") if "value" in lowered else len(words)
    return " ".join(words[1:end]), " ".join(words[end + 1 :])
