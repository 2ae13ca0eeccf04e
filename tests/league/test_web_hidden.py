"""Hidden information on the web: what is sent to a seat follows from what the seat may know."""

import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import games
from arena.errors import UserError
from arena.play.session import Session
from league.cli import device
from league.web import tokens
from tests.helpers.web_client import client, refusal, site_of

HIDDEN = tuple(name for name in games.names() if not games.load(name).perfect_information)


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "prepare", lambda: None)
        with client(tmp_path_factory.mktemp("empty") / "runs") as found:
            yield found


def _played(name: str, seed: int) -> Iterator[tuple[Session, tuple[int, ...]]]:
    """The positions of a random game, and the moves of the seats that led there."""
    session, choose, made = Session(games.load(name), seed=seed), random.Random(seed), ()
    yield session, made
    while not session.over:
        move = choose.choice(list(session.legal_moves.values()))
        session.push(move)
        made = (*made, move)
        yield session, made


def _sent(visitor: TestClient, name: str, seat: int, deal: str) -> tuple[bytes, int]:
    """The whole answer without its sealed address, and that one's length."""
    seats = ("first", "second")
    search = f"game={name}&agent=uniform&seat={seats[seat]}&deal={deal}"
    answer = visitor.post("/play/look", json={"search": search})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    address = body.pop("address")
    assert address.startswith(f"game={name}&agent=uniform&seat={seats[seat]}&deal=")
    assert answer.headers.get("set-cookie") is None
    return json.dumps(body).encode(), len(address)


def _check(visitor: TestClient, name: str, count: int) -> int:
    """Plays games; how often one knowledge of a seat stood for several hidden positions."""
    secret, known, several = site_of(visitor).secret, {}, set()
    for seed in range(count):
        for session, made in _played(name, seed):
            for seat in (0, 1):
                own = tuple(
                    move
                    for move, mover in zip(session.moves, session.record.movers, strict=True)
                    if mover == seat
                )
                sees = session.observation(seat).tobytes(), own, session.seat, session.over
                sees = seat, *sees, session.result
                deal = tokens.seal(secret, name, seat, seed=seed, moves=made)
                sent = _sent(visitor, name, seat, deal)
                other = known.setdefault(sees, (sent, _hash(session)))
                assert other[0] == sent
                if other[1] != _hash(session):
                    several.add(sees)
    return len(several)


def _hash(session: Session) -> bytes:
    import jax

    return b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(session.state))


def test_kuhn_poker_sends_a_seat_what_it_may_know_and_not_a_byte_more(visitor: TestClient):
    assert _check(visitor, "kuhn_poker", 30) > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", HIDDEN)
def test_no_game_sends_more(visitor: TestClient, name: str):
    _check(visitor, name, 60)


@pytest.mark.parametrize("name", HIDDEN)
def test_an_address_tells_nothing_and_belongs_to_its_seat(visitor: TestClient, name: str):
    answer = visitor.get(
        "/play", params={"game": name, "agent": "uniform", "seat": "first"}, follow_redirects=False
    )
    assert answer.status_code == 303
    address = answer.headers["location"].partition("?")[2]
    assert set(_parts(address)) == {"game", "agent", "seat", "deal"}
    swapped = {"search": address.replace("seat=first", "seat=second")}
    assert "another game or seat" in refusal(visitor.post("/play/look", json=swapped), 400)
    forged = {"search": address[:-3] + "AAA"}
    assert "begin a new game" in refusal(visitor.post("/play/look", json=forged), 400)
    given = {"search": f"game={name}&agent=uniform&seat=first&seed=1&moves=1"}
    assert "begin a new game" in refusal(visitor.post("/play/look", json=given), 400)


def test_all_is_shown_at_the_end_alone(visitor: TestClient):
    secret = site_of(visitor).secret
    over = tokens.seal(secret, "kuhn_poker", 0, seed=3, moves=(0, 0))
    search = f"game=kuhn_poker&agent=uniform&seat=first&deal={over}"
    board = visitor.post("/play/reveal", json={"search": search}).json()["board"]
    assert sum(face in board for face in ("J♠", "Q♠", "K♠", ">J<", ">Q<", ">K<")) >= 2
    early = tokens.seal(secret, "kuhn_poker", 0, seed=3, moves=())
    search = f"game=kuhn_poker&agent=uniform&seat=first&deal={early}"
    assert "over" in refusal(visitor.post("/play/reveal", json={"search": search}), 400)
    ends = "over" in refusal(visitor.get(f"/play/record?{search}&format=jsonl"), 400)
    assert ends


def test_hidden_games_are_not_analysed(visitor: TestClient):
    asked = {"search": "game=kuhn_poker&agent=uniform"}
    assert "hidden" in refusal(visitor.post("/analyse/look", json=asked), 400)
    assert "hidden" in refusal(visitor.get("/analyse?game=kuhn_poker"), 400)


def test_dice_to_come_are_not_in_an_address(visitor: TestClient):
    """The deal of a game of chance names a seed that only the server can make."""
    params = {"game": "backgammon", "agent": "uniform", "seat": "first"}
    answer = visitor.get("/play", params=params, follow_redirects=False)
    parts = _parts(answer.headers["location"].partition("?")[2])
    assert set(parts) == {"game", "agent", "seat", "deal"}
    one, two = (tokens.seed_of(x, "backgammon", parts["deal"]) for x in (b"1" * 32, b"2" * 32))
    assert one != two


def test_sealed_games_come_back_and_of_one_length() -> None:
    secret = b"s" * 32
    made = [tokens.seal(secret, "kuhn_poker", 1, seed=5, moves=(0,) * n) for n in range(4)]
    assert len({len(deal) for deal in made}) == 1
    assert tokens.unseal(secret, "kuhn_poker", 1, made[3]) == (5, (0, 0, 0))
    with pytest.raises(UserError):
        tokens.unseal(b"t" * 32, "kuhn_poker", 1, made[3])


def _parts(address: str) -> dict[str, Any]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(address))
