"""Games between agents, played for those who watch: one game, or a round robin."""

import itertools
import random
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from arena.errors import UserError
from league.web import service
from league.web.events import Channel
from league.web.lines import Line
from league.web.query import Query
from league.web.site import Site

ALONE = 60.0
"""Seconds after which a show that nobody watches ends."""


@dataclass(frozen=True)
class Programme:
    """What is to be played.

    Attributes:
      game: its name.
      agents: two, or more for a round robin.
      games: of each pairing; two from one opening, with the seats swapped, make a pair.
      plies: openings are up to so many random moves long.
      limit: what an agent that searches may use a move, as in `query.Query`.
    """

    game: str
    agents: tuple[str, ...]
    games: int
    plies: int
    limit: str


@dataclass(eq=False)
class Show:
    """What is being played.

    Attributes:
      programme: what is to be played.
      channel: of its events: game, move, over, table, failure.
      board: the picture of the position as it stands.
      address: of the game as it stands.
    """

    programme: Programme
    channel: Channel = field(default_factory=Channel)
    board: str = ""
    address: str = ""
    last: tuple[str, ...] = ()
    made: int = 0


def play(site: Site, show: Show) -> Generator[None, None, None]:
    """A job: plays the programme, one piece of thinking after the other."""
    plan, channel = show.programme, show.channel
    found = service.of(site)
    game = found.lines.game(plan.game)
    for spec in plan.agents:
        found.opponents.get(spec, game)
    count = len(plan.agents)
    wins = [[0.0] * count for _ in range(count)]  # points of the row against the column
    played = [[0] * count for _ in range(count)]
    channel.publish("table", _table(wins, played))
    pairings = list(itertools.combinations(range(count), 2))
    left, number = _Alone(channel), 0
    for turn in range(plan.games):
        for one, two in pairings:
            first, second = (one, two) if turn % 2 == 0 else (two, one)
            number += 1
            players = plan.agents[first], plan.agents[second]
            result = yield from _game(site, show, players, turn // 2, left, number)
            wins[first][second] += (1 + result) / 2
            wins[second][first] += (1 - result) / 2
            played[first][second] += 1
            played[second][first] += 1
            channel.drop("table")
            channel.publish("table", _table(wins, played))


def _game(
    site: Site, show: Show, players: tuple[str, str], pair: int, left: "_Alone", number: int
) -> Generator[None, None, float]:
    """One game; the result of the first seat, in [-1, 1]."""
    plan, found = show.programme, service.of(site)
    query = Query(plan.game, seed=pair)
    rules = found.lines.game(plan.game)
    if not rules.perfect_information:
        query = found.lines.begin(query)
    elif rules.num_outcomes or not rules.on_device:
        query = query.change(deal=f"watch-{id(show)}-{pair}")
    line = found.lines.open(query)
    show.channel.drop("game", "board", "move", "over")
    show.channel.publish("game", {"number": number, "players": players})
    chooser = random.Random(pair)
    opening = chooser.randrange(plan.plies + 1) if plan.plies else 0
    _tell(show, line, query, found)
    while not line.session.over:
        left.check()
        if len(line.made) < opening:
            move = chooser.choice(list(line.session.legal_moves.values()))
        else:
            opponent = found.opponents.get(players[line.session.seat], rules)
            thinking = opponent.choose(line, plan.limit)
            move = yield from _patiently(thinking)
        line.push(move)
        _tell(show, line, query, found)
        yield None
    result = line.session.result or 0.0
    show.channel.publish("over", {"number": number, "result": result})
    return result


def _patiently(thinking: Generator[Any, None, int]) -> Generator[None, None, int]:
    while True:
        try:
            next(thinking)
        except StopIteration as end:
            return end.value
        yield None


def _tell(show: Show, line: Line, query: Query, found: service.Service) -> None:
    """What those who watch see of a position: all of it."""
    show.board = line.game.draw(line.session.state) if line.game.on_device else ""
    if not show.board:
        show.board = line.session.drawing(max(line.session.seat, 0))
    show.made = len(line.made)
    show.last = line.made[-1].cells if line.made else ()
    hidden = line.hidden or not line.game.on_device
    show.address = "" if hidden else found.lines.address(query, line).text("seat", "limit")
    if line.made:
        made = line.made[-1]
        show.channel.publish(
            "move", {"ply": len(line.made), "seat": made.seat, "label": made.label}
        )
    else:
        show.channel.publish("board", {})


def _table(wins: list[list[float]], played: list[list[int]]) -> dict[str, Any]:
    """The cross table: points and games of each against each."""
    return {"points": [list(row) for row in wins], "games": [list(row) for row in played]}


class _Alone:
    """Ends a show that nobody has watched for a while."""

    def __init__(self, channel: Channel):
        self._channel, self._since = channel, time.monotonic()

    def check(self) -> None:
        if self._channel.watchers:
            self._since = time.monotonic()
        elif time.monotonic() - self._since > ALONE:
            raise UserError("nobody was watching any more")
