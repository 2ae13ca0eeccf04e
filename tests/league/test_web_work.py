"""The thread that computes for all visitors, and events that nobody misses."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from arena.errors import UserError
from league.web import events, work
from league.web.query import Query, parse, read
from tests.helpers.loop import run


@pytest.fixture
def worker() -> Iterator[work.Worker]:
    found = work.Worker()
    yield found
    found.close()


def test_visitors_have_their_turns_one_after_the_other(worker: work.Worker):
    order: list[str] = []
    gate = threading.Event()

    def job(name: str) -> work.Job[str]:
        for _ in range(3):
            gate.wait(10)
            order.append(name)
            yield name

    tickets = [worker.submit(name[0], job(name)) for name in ("a1", "a2", "b1")]
    gate.set()
    assert [ticket.future.result(10) for ticket in tickets] == ["a1", "a2", "b1"]
    # b is done after three turns of its own, in each of which a had one: a1 and a2 by turns.
    assert order == ["a1", "b1", "a2", "b1", "a1", "b1", "a2", "a1", "a2"]


def test_a_job_that_nobody_waits_for_ends(worker: work.Worker):
    closed = threading.Event()

    def job() -> work.Job[int]:
        try:
            number = 0
            while True:
                yield (number := number + 1)
        finally:
            closed.set()

    started = threading.Event()
    ticket = worker.submit("a", job(), callback=lambda _: started.set(), limited=False)
    assert started.wait(10)
    ticket.cancel()
    assert closed.wait(10)
    assert ticket.future.cancelled()


def test_a_fault_is_the_job_s_own(worker: work.Worker, monkeypatch: pytest.MonkeyPatch):
    def fault() -> int:
        raise UserError("one line")

    with pytest.raises(UserError, match="one line"):
        worker.submit("a", work.once(fault)).future.result(10)
    monkeypatch.setattr(work, "JOB_SECONDS", -1.0)
    with pytest.raises(UserError, match="more than"):
        worker.submit("a", work.once(lambda: 1)).future.result(10)
    assert worker.submit("a", work.once(lambda: 2), limited=False).future.result(10) == 2


def test_jax_that_cannot_be_loaded_is_told():
    def prepare() -> None:
        raise ImportError("no jax")

    worker = work.Worker(prepare)
    with pytest.raises(UserError, match="no jax"):
        worker.submit("a", work.once(lambda: 1)).future.result(10)
    worker.close()


def test_a_reload_misses_no_event():
    async def lines(channel: events.Channel, after: int) -> list[str]:
        return [line async for line in channel.follow(after)]

    channel = events.Channel()
    for number in range(3):
        channel.publish("move", number)
    channel.drop("move")
    channel.publish("table", {"a": 1})
    channel.publish("move", 9)
    channel.close()
    found = run(lines(channel, 0))
    assert found[0] == 'id: 4\nevent: table\ndata: {"a": 1}\n\n'
    assert found[1:] == ["id: 5\nevent: move\ndata: 9\n\n", "id: 5\nevent: end\ndata: {}\n\n"]
    assert run(lines(channel, 5)) == ["id: 5\nevent: end\ndata: {}\n\n"]
    assert channel.watchers == 0


def test_events_come_as_they_happen():
    async def watch(channel: events.Channel) -> list[str]:
        found = []
        async for line in channel.follow():
            found.append(line)
            if len(found) == 1:
                threading.Thread(target=channel.publish, args=("move", 2)).start()
            if len(found) == 2:
                threading.Thread(target=channel.close).start()
        return found

    channel = events.Channel()
    channel.publish("move", 1)
    assert len(run(asyncio.wait_for(watch(channel), 10))) == 3


@pytest.mark.parametrize(
    "query",
    [
        Query("chess", "mcts:100", 1, "2s", moves=("e4", "Nf6", "Qh5#", "hxg8=Q+")),
        Query("chess", start="8/8/8/8/8/8/8/K1k5 w - - 0 1", seed=7),
        Query("backgammon", "uniform", deal="x-_y", moves=("13/8", "bar/22"), outcomes=(3, 0, 12)),
        Query("hex:size=5,swap=true", "run:17e2", resigned=True, moves=("c3",)),
    ],
)
def test_an_address_is_read_as_it_was_written(query: Query):
    assert read(parse(query.text())) == query
