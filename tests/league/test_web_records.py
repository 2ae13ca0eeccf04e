"""Games leave the web app as files, and come back."""

import json
import random
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

import games
from arena.play.session import Session
from league.cli import device
from league.web import tokens
from tests.helpers.web_client import client, refusal, site_of


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "prepare", lambda: None)
        with client(tmp_path_factory.mktemp("empty") / "runs") as found:
            yield found


def loaded(visitor: TestClient, name: str, content: bytes, **form: str) -> dict[str, str]:
    """The values of the address at which a file is analysed."""
    answer = visitor.post(
        "/analyse/load", data=form, files={"file": (name, content)}, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {key: values[0] for key, values in query.items()}


def test_a_record_comes_back(visitor: TestClient):
    search = "game=connect_four&agent=mcts:10&seat=second&moves=4,4,3&resigned=yes"
    record = visitor.get(f"/play/record?{search}&format=jsonl")
    assert record.headers["content-disposition"] == 'attachment; filename="connect-four.jsonl"'
    kept = json.loads(record.text)
    assert [player["name"] for player in kept["players"]] == ["mcts:10", "visitor"]
    assert (kept["result"], kept["termination"]) == (1.0, "resigned")
    found = loaded(visitor, "x.jsonl", record.content)
    assert (found["game"], found["moves"]) == ("connect_four", "4,4,3")


def test_of_several_games_one_is_chosen_and_broken_ones_are_counted(visitor: TestClient):
    lines = [{"game": "tic_tac_toe", "moves": moves} for moves in (["a1"], ["a1", "a1"], ["b2"])]
    content = "\n".join(map(json.dumps, lines)).encode()
    assert loaded(visitor, "x.jsonl", content, number="2")["moves"] == "b2"
    asked = {"data": {"number": "3"}, "files": {"file": ("x.jsonl", content)}}
    told = refusal(visitor.post("/analyse/load", **asked), 400)
    assert "no game 3" in told
    assert "1 game skipped (game 2: move 2" in told


def test_moves_are_pasted(visitor: TestClient):
    data = {"text": "1. b2 a1\n2. c3", "game": "tic_tac_toe"}
    answer = visitor.post("/analyse/load", data=data, follow_redirects=False)
    assert answer.headers["location"] == "/analyse?game=tic_tac_toe&moves=b2,a1,c3"


@pytest.mark.slow
def test_a_game_of_dice_comes_back_with_its_dice(visitor: TestClient):
    deal, choose = "abc", random.Random(5)
    seed = tokens.seed_of(site_of(visitor).secret, "backgammon", deal)
    session = Session(games.load("backgammon"), seed=seed)
    while not session.over:
        session.push(choose.choice(list(session.legal_moves.values())))
    moves = ",".join(session.record.labels)
    params = {"game": "backgammon", "agent": "uniform", "seat": "first", "deal": deal}
    early = {**params, "moves": moves.split(",")[0], "format": "jsonl"}
    assert "over" in refusal(visitor.get("/play/record", params=early), 400)
    for ending in ("jsonl", "sgf"):
        whole = {**params, "moves": moves, "format": ending}
        found = loaded(visitor, f"x.{ending}", visitor.get("/play/record", params=whole).content)
        assert found["outcomes"] == ",".join(map(str, session.record.outcomes))
        search = "&".join(f"{key}={value}" for key, value in found.items())
        view = visitor.post("/analyse/look", json={"search": search}).json()
        assert view["result"] == session.result
