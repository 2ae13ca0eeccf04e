"""The shows of a site: how many there may be, and where each is found."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from league.web.work import Busy, Job, Ticket, Worker

if TYPE_CHECKING:
    from league.web.watching import Show

MOST_SHOWS = 64
"""That are kept, under way or over."""
MOST_RUNNING = 16
"""That are under way."""
MOST_OF_ONE = 3
"""That are under way for one visitor."""


@dataclass(eq=False)
class Running:
    """A show, and the job that plays it."""

    visitor: str
    show: "Show"
    ticket: Ticket[Any]


@dataclass(eq=False)
class Shows:
    """All shows of a site, by name."""

    kept: OrderedDict[str, Running] = field(default_factory=OrderedDict)

    def start(
        self,
        worker: Worker,
        visitor: str,
        show: "Show",
        job: Callable[[], Job[Any]],
    ) -> str:
        """Starts a show; its name.

        Raises:
          Busy: there are enough under way.
        """
        running = [one for one in self.kept.values() if not one.show.channel.closed]
        if sum(one.visitor == visitor for one in running) >= MOST_OF_ONE:
            raise Busy(f"{MOST_OF_ONE} games that you started are under way; stop one of them")
        if len(running) >= MOST_RUNNING:
            raise Busy("enough games are being watched; try again in a moment")
        name = secrets.token_urlsafe(9)
        ticket = worker.submit(f"show {name}", _late(job), limited=False, heavy=True)
        ticket.future.add_done_callback(show.channel.end)
        self.kept[name] = Running(visitor, show, ticket)
        while len(self.kept) > MOST_SHOWS:
            self.kept.popitem(last=False)[1].ticket.cancel()
        return name


def _late(job: Callable[[], Job[Any]]) -> Job[Any]:
    """A job that is made in the thread that computes."""
    yield from job()
