"""A position as an address: what stands in it, read and written."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from arena.errors import SEEDS, UserError, whole_number
from league.web.work import MOST_SECONDS, MOST_SIMULATIONS

SEATS = ("first", "second")
"""What the seats are called."""
_MOST_TEXT = 400
"""Characters of a name or a position."""
_MOST_MOVES = 40_000
"""Characters of all moves together."""


@dataclass(frozen=True)
class Query:
    """What an address says.

    Attributes:
      game: its name.
      agent: the opponent, or who analyses.
      seat: the visitor's, 0 or 1.
      limit: what the agent may use a move: `64` simulations, or `2s`.
      start: where the game began, as text such as a FEN; "" for its initial position.
      seed: of agents that play at random, in games without chance.
      deal: in games of chance what the seed is made from, in hidden ones the whole game; sealed,
        see `tokens`.
      moves: of both seats, as players write them; none in games of hidden information.
      outcomes: of chance, in a game that was played elsewhere.
      resigned: whether the visitor has.
    """

    game: str
    agent: str = ""
    seat: int = 0
    limit: str = "64"
    start: str = ""
    seed: int = 0
    deal: str = ""
    moves: tuple[str, ...] = ()
    outcomes: tuple[int, ...] = ()
    resigned: bool = False

    def change(self, **values: object) -> "Query":
        """The same with other values."""
        return dataclasses.replace(self, **values)  # pyright: ignore[reportArgumentType]

    def text(self, *left_out: str) -> str:
        """As it stands in an address, what is as by default left out."""
        values = {
            "game": self.game,
            "agent": self.agent,
            "seat": SEATS[self.seat],
            "limit": self.limit,
            "start": self.start,
            "seed": str(self.seed),
            "deal": self.deal,
            "moves": ",".join(self.moves),
            "outcomes": ",".join(map(str, self.outcomes)),
            "resigned": "yes" if self.resigned else "",
        }
        plain = {"seed": "0", "limit": "64"}
        shown = {
            key: value
            for key, value in values.items()
            if value != plain.get(key, "") and key not in left_out
        }
        return "&".join(f"{key}={quote(value, safe=':,=-.*/')}" for key, value in shown.items())


def parse(search: str) -> dict[str, str]:
    """The values of an address, from what follows its question mark.

    Raises:
      UserError: there are too many.
    """
    try:
        return dict(parse_qsl(search.removeprefix("?"), max_num_fields=30))
    except ValueError:
        raise UserError("this is no address of a position") from None


def read(values: Mapping[str, str]) -> Query:
    """Reads an address.

    Raises:
      UserError: something in it cannot be; in one line.
    """
    for key, value in values.items():
        most = _MOST_MOVES if key in ("moves", "deal", "outcomes") else _MOST_TEXT
        if len(value) > most:
            raise UserError(f"{key} is longer than {most:,} characters")
    game = values.get("game", "")
    if not game:
        raise UserError("which game? the address names none")
    seat = values.get("seat", "") or "first"
    if seat not in SEATS:
        raise UserError(f"seat is first or second, not {seat!r:.50}")
    seed = whole_number(values.get("seed", "") or "0", most=SEEDS - 1)
    if seed is None:
        raise UserError("seed must be a whole number below 2³²")
    moves = tuple(filter(None, (part.strip() for part in values.get("moves", "").split(","))))
    limit = values.get("limit", "") or "64"
    read_limit(limit)
    return Query(
        game=game,
        agent=values.get("agent", ""),
        seat=SEATS.index(seat),
        limit=limit,
        start=values.get("start", "").strip(),
        seed=seed,
        deal=values.get("deal", ""),
        moves=moves,
        outcomes=_outcomes(values.get("outcomes", "")),
        resigned=values.get("resigned", "") == "yes",
    )


def _outcomes(text: str) -> tuple[int, ...]:
    found = [whole_number(part, most=10_000) for part in text.split(",") if part]
    if None in found:
        raise UserError("outcomes are whole numbers")
    return tuple(number for number in found if number is not None)


def read_limit(text: str) -> tuple[int | None, float | None]:
    """Simulations, or seconds, of a limit such as `64` or `2s`.

    Raises:
      UserError: it is neither, or more than a visitor may have.
    """
    if text.endswith("s"):
        try:
            seconds = float(text[:-1])
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= MOST_SECONDS:
            raise UserError(f"a move takes up to {MOST_SECONDS:g} seconds here, not {text!r:.50}")
        return None, seconds
    simulations = whole_number(text, most=MOST_SIMULATIONS)
    if simulations is None:
        raise UserError(
            f"a move takes up to {MOST_SIMULATIONS:,} simulations here, not {text!r:.50}"
        )
    return simulations, None
