"""The web app under attack: refused or bounded in one clear line, and the server goes on."""

import json
import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from league.cli import device
from league.web import lines, security, service, work
from tests.helpers.web_client import ORIGIN, client, refusal, site_of


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "prepare", lambda: None)  # this process has set JAX up
        with client(tmp_path_factory.mktemp("empty") / "runs") as found:
            yield found


@pytest.fixture(autouse=True)
def _goes_on(visitor: TestClient) -> Iterator[None]:
    yield
    assert visitor.get("/").status_code == 200


def look(visitor: TestClient, search: str, path: str = "/play/look", **more: str):
    return visitor.post(path, json={"search": search, **more})


CONNECT_FOUR = "game=connect_four&agent=uniform&seat=first"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8311", "", "[", "10.0.0.1"]
)
def test_a_foreign_host_is_refused(visitor: TestClient, host: str):
    assert "is not called" in refusal(visitor.get("/", headers={"Host": host}), 400)


@pytest.mark.parametrize("host", ["localhost:8311", "127.0.0.1", "[::1]:99"])
def test_names_of_this_machine_are_served(visitor: TestClient, host: str):
    assert visitor.get("/", headers={"Host": host}).status_code == 200


def test_beyond_loopback_addresses_are_served_and_names_of_others_are_not():
    guard = security.Guard(lambda *_: None, "0.0.0.0")  # pyright: ignore[reportArgumentType]
    assert guard._is_ours("192.168.1.7:8311")
    assert not guard._is_ours("evil.example")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_origin_is_refused(visitor: TestClient, method: str, origin: str):
    answer = visitor.request(method, "/play/look", headers={"Origin": origin}, json={})
    assert "are not served" in refusal(answer, 403)


def test_a_page_of_ours_is_served_and_another_site_may_only_link_here(visitor: TestClient):
    ours = visitor.post("/play/look", headers={"Origin": ORIGIN}, json={"search": CONNECT_FOUR})
    assert ours.status_code == 200
    cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert "other sites" in refusal(visitor.get("/picture/chess.svg", headers=cross), 403)
    assert visitor.get("/", headers={**cross, "Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_every_answer_has_a_strict_policy(visitor: TestClient):
    for answer in (visitor.get("/"), visitor.get("/nowhere"), visitor.get("/static/style.css")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_fetch_nothing_from_elsewhere_and_run_no_inline_script(visitor: TestClient):
    for path in ("/", "/play", "/analyse", "/watch", f"/play?{CONNECT_FOUR}"):
        text = visitor.get(path).text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
        assert "<script>" not in text
        assert " onclick" not in text


def test_large_bodies_are_refused(visitor: TestClient):
    large = b"x" * 10_000_000
    assert "1 MiB" in refusal(visitor.post("/play/look", content=large), 413)

    def pieces() -> Iterator[bytes]:  # of a length that is not told before
        yield from [large[:500_000]] * 20

    assert "1 MiB" in refusal(visitor.post("/play/look", content=pieces()), 413)
    odd = visitor.post("/play/look", content=b"", headers={"Content-Length": "-1"})
    assert odd.status_code in (400, 413)


@pytest.mark.parametrize(
    "game",
    [
        "../../etc/passwd", "/etc/passwd", "./sticks.py:Sticks", "os:system", "connect_four/..",
        "pettingzoo:./my_game.py", "open_spiel:chess", "hex:size=__import__", "chess\0", "x" * 3000,
        "hex:size=100000000000", "nim:heaps=9", "hex:size=3,size=4,size=5" * 9,
    ],
)  # fmt: skip
def test_a_path_or_code_is_no_name_of_a_game(visitor: TestClient, game: str):
    refusal(visitor.get("/play", params={"game": game, "agent": "uniform"}), 400)
    refusal(visitor.get("/watch", params={"game": game}), 400)


@pytest.mark.parametrize(
    "agent",
    [
        "../../etc/passwd", "/tmp/x:1", "policy:./mine.py", "policy:/tmp/x.py:f", "os:system",
        "run:3", "..:1", ".hidden", "mcts:1000000000", "mcts:0", "mcts:many",
        "stockfish:path=/bin/sh", "stockfish:nodes=999999999", "gnugo:level=99",
        "pretrained:../../x", "pretrained:chess", "",
    ],
)  # fmt: skip
def test_a_path_or_code_is_no_name_of_an_agent(visitor: TestClient, agent: str):
    search = f"game=connect_four&seat=second&agent={agent}"
    refusal(look(visitor, search, "/play/answer"), 400)


@pytest.mark.parametrize(
    "limit", ["1000000000", "-1", "1e9", "0s", "1000000s", "nans", "infs", "many", "9" * 5000]
)
def test_work_is_bounded(visitor: TestClient, limit: str):
    search = f"game=connect_four&seat=second&agent=uniform&limit={limit}"
    assert "here" in refusal(look(visitor, search, "/play/answer"), 400) or len(limit) > 400


def test_moves_out_of_turn_and_illegal_moves_are_refused(visitor: TestClient):
    move = "/play/move"
    second = "game=connect_four&agent=uniform&seat=second"
    assert "not the turn" in refusal(look(visitor, second, move, move="1"), 400)
    assert "not the turn" in refusal(look(visitor, CONNECT_FOUR, "/play/answer"), 400)
    assert "column" in refusal(look(visitor, CONNECT_FOUR, move, move="9"), 400)
    full = f"{CONNECT_FOUR}&moves=1,1,1,1,1,1"
    assert "full" in refusal(look(visitor, full, move, move="1"), 400)
    assert "move 7" in refusal(look(visitor, f"{full},1"), 400)
    won = f"{CONNECT_FOUR}&moves=1,2,1,2,1,2,1"
    assert "over" in refusal(look(visitor, won, move, move="1"), 400)
    assert "over" in refusal(look(visitor, f"{CONNECT_FOUR}&resigned=yes", move, move="1"), 400)
    refusal(look(visitor, f"{CONNECT_FOUR}&moves={'1,' * 30_000}"), 400)
    refusal(look(visitor, f"{CONNECT_FOUR}&moves=%23999999"), 400)


@pytest.mark.parametrize(
    "search", ["", "game=", "&" * 200, "seat=third&game=chess", "game=chess&seed=-1"]
)
def test_odd_addresses_are_refused(visitor: TestClient, search: str):
    refusal(look(visitor, search), 400)


def test_bodies_of_another_kind_are_refused(visitor: TestClient):
    for body in ([], "text", {"search": 3}, {"search": {"a": 1}}):
        refusal(visitor.post("/play/look", json=body), 422)
    refusal(visitor.post("/play/look", content=b"{"), 422)


def test_sessions_of_visitors_are_bounded(visitor: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines, "MOST_LINES", 20)
    _begin(visitor, 60)
    assert len(service.of(site_of(visitor)).lines) <= 20


@pytest.mark.slow
def test_a_thousand_sessions_are_served(visitor: TestClient):
    _begin(visitor, 1000)


def _begin(visitor: TestClient, count: int) -> None:
    for number in range(count):
        answer = look(visitor, f"{CONNECT_FOUR}&seed={number}&moves={number % 7 + 1}")
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["static/../app.py", "static/%2e%2e/app.py", "static//etc/passwd", "picture/..svg"]
)
def test_files_outside_are_not_served(visitor: TestClient, path: str):
    assert visitor.get(f"/{path}").status_code in (400, 404)


def test_an_agent_that_cannot_analyse_does_not_end_the_other_s_analysis(visitor: TestClient):
    search = "game=tic_tac_toe&agent=uniform&other=mcts:10&moves=b2,a1,a2,c2,b1"
    lines = visitor.get(f"/analyse/live?{search}&ply=5").text.splitlines()
    found = [json.loads(line.removeprefix("data: ")) for line in lines if "data: {" in line]
    assert "cannot analyse" in found[0]["error"]
    assert found[-2]["place"] == 1
    assert found[-2]["proven"]
    assert {row["label"] for row in found[-2]["moves"]} == {"a3", "b3", "c1", "c3"}
    assert lines[-2:] == ["data: {}", ""]


def test_what_is_pasted_is_refused_in_one_line(visitor: TestClient):
    odd = "", "\0\0", "(;", '{"game":"../x","moves":[]}', '[Event "x"]\n\n1. e5 *', "8/8 w"
    for text in odd:
        answer = visitor.post("/analyse/load", data={"text": text, "game": "chess"})
        assert answer.status_code in (200, 400)  # nothing at all is a game's first position
    refusal(visitor.post("/analyse/load", data={"text": "e4", "game": "../x"}), 400)
    refusal(visitor.post("/analyse/load", data={"text": "e4", "number": "0"}), 400)


def test_games_that_are_watched_are_bounded(visitor: TestClient):
    form = {"game": "connect_four", "agent": ["uniform", "uniform"], "games": "1000000"}
    assert "between 1 and" in refusal(visitor.post("/watch/start", data=form), 400)
    form = {"game": "connect_four", "agent": ["uniform"] * 8, "games": "100"}
    assert "can be watched" in refusal(visitor.post("/watch/start", data=form), 400)
    assert visitor.get("/watch/nothing").status_code == 404


def test_a_visitor_has_so_many_requests_waiting_and_no_more(visitor: TestClient):
    worker = site_of(visitor).worker

    def slow() -> work.Job[None]:
        for _ in range(50):
            time.sleep(0.02)
            yield None

    tickets = [worker.submit("greedy", slow()) for _ in range(work.MOST_JOBS)]
    with pytest.raises(work.Busy, match="waiting already"):
        worker.submit("greedy", slow())
    began = time.monotonic()
    assert look(visitor, CONNECT_FOUR).status_code == 200  # it is another's turn in between
    assert time.monotonic() - began < 1.0
    for ticket in tickets:
        ticket.cancel()
