"""The page on which people say who stands better: by requests, and in a real browser."""

import json
import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.judges import preference
from agents.judges.human import HumanJudge
from agents.judges.verdicts import Question, VerdictFile, replay
from agents.nn.networks import MLPConfig, initialise
from arena.errors import UserError
from arena.play.openings import recorded_openings
from arena.types import State
from league.settings.json_object import JsonObject
from league.store import learned_judges
from league.web import names
from league.web.site import Settings
from tests.helpers.command import Place
from tests.helpers.web import Web, served
from tests.helpers.web_client import client, refusal

GAME = games.load("tic_tac_toe")
SHOWN = "#judge[data-state=shown]"
CENTRE = '[data-cell="b2"] .piece'


def held(folder: Path, name: str = "tic_tac_toe") -> VerdictFile:
    """A server's file of verdicts on tic-tac-toe."""
    return VerdictFile(folder / "verdicts" / f"{name}.jsonl", GAME)


def test_verdicts_are_kept_once_each_and_no_two_windows_have_the_same_question(tmp_path: Path):
    asked = {"game": "tic_tac_toe", "who": "ann"}
    with client(tmp_path / "runs") as visitor:

        def post(path: str, **values: str) -> JsonObject:
            found = visitor.post(f"/judge/{path}", json={**asked, **values})
            assert found.status_code == 200, found.text
            return found.json()

        windows = [post("next") for _ in range(12)]
        assert len({one["moves"] for one in windows}) == 12
        one, two = windows[:2]
        assert post("next", held=one["token"]) == one  # loaded anew
        assert [len(one["pictures"]), one["count"], one["held_out"]] == [1, 0, None]
        said = {"verdict": "left", "seconds": "1.25", **_named(one)}
        after = post("answer", **said)
        assert [after["count"], after["mine"]] == [1, 1]
        assert post("answer", **said)["count"] == 1  # sent twice, as the first got no answer
        assert post("answer", who="bob", verdict="equal", seconds="2", **_named(two))["mine"] == 1
        skipped = post("answer", verdict="skip", **_named(after))
        assert skipped["count"] == 2
        pair = post("next", kind="games")
        assert len(pair["pictures"]) == 2
        assert all("to move" not in picture["note"] for picture in pair["pictures"])
        early = post("position", moves=pair["moves"], ply="1")
        assert early["note"] == "Second to move"
        assert len(early["last"]) == 1
        seen = visitor.get("/judge?game=tic_tac_toe&kind=games", headers={"accept": "text/html"})
        assert "human:" in seen.text
        assert "tic_tac_toe: 2 verdicts" in visitor.get("/judge").text
    kept = held(tmp_path).read()
    assert [(v.who, v.verdict, v.seconds) for v in kept] == [("ann", 1, 1.25), ("bob", 0, 2.0)]
    played = one["moves"].removeprefix("-")  # which stands for the start
    assert kept[0].question == Question(tuple(map(int, played.split(","))) if played else ())
    # A server that was started anew takes what the old one asked.
    with client(tmp_path / "runs") as visitor:
        late = {**asked, **_named(skipped), "verdict": "right", "seconds": "9"}
        assert visitor.post("/judge/answer", json=late).json()["count"] == 3
        assert visitor.post("/judge/answer", json=late).json()["count"] == 3
        found: JsonObject = {}
        while len(held(tmp_path).read()) < 16:
            late = {**asked, **_named(visitor.post("/judge/next", json=asked).json())}
            said = {**late, "verdict": "left", "seconds": "1"}
            found = visitor.post("/judge/answer", json=said).json()
        for _ in range(4000):  # the model is learnt while questions go on
            if found["held_out"]:
                break
            found = visitor.post("/judge/next", json=asked).json()
        assert found["held_out"]["decided"] > 0


def test_a_league_may_go_by_a_learnt_judge_whose_file_lies_there(tmp_path: Path):
    network = MLPConfig(width=8, layers=1)
    params = initialise(preference.observed(GAME), network, jax.random.key(0))
    (tmp_path / "judges").mkdir()
    stacked = preference.stacked([params])
    for path in ("mine.npz", "judges/other.npz"):
        learned_judges.write(
            tmp_path / path, stacked, game="tic_tac_toe", rules=GAME, network=network
        )
    np.savez(tmp_path / "none.npz", card=np.array("{}"))
    (tmp_path / "broken.npz").write_bytes(b"no file of arrays")
    settings = Settings(folder=tmp_path / "runs")
    mine, other = (f"learned:{tmp_path / path}" for path in ("mine.npz", "judges/other.npz"))
    offered = [name for name in names.judges(settings) if name.startswith("learned:")]
    assert offered == [mine, other]
    for said in (mine, f"{other},pessimism=0.5", f"adjudicated:3,by={mine}"):
        assert names.check_judge(said, settings, GAME) == said
    for said in (f"learned:{tmp_path}/none.npz", f"{mine},pessimism=-1", f"{mine},network=x"):
        with pytest.raises(UserError, match="there is no judge"):
            names.check_judge(said, settings, GAME)
    with client(settings.folder) as visitor:
        page = visitor.get("/train").text
        assert all(f'<option value="{name}"></option>' in page for name in offered)
        asked = {"game": "connect_four", "length": "time", "time": "1m", "judge": mine}
        told = refusal(visitor.post("/train", data=asked), 400)
    assert "mine.npz judges tic_tac_toe, not this game" in told


def _named(view: JsonObject) -> dict[str, str]:
    return {key: view[key] for key in ("token", "moves", "other")}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"file": "../said"}, "called by letters and digits"),
        ({"file": "x" * 61}, "called by letters and digits"),
        ({"game": "nowhere"}, "there is no game"),
        ({"game": "kuhn_poker"}, "hide nothing"),
        ({"kind": "people"}, "what is compared is"),
        ({"file": "other"}, "holds verdicts on ConnectFour"),
        ({"verdict": "best", "moves": "4"}, "an answer is left"),
        ({"verdict": "left", "moves": "4,4", "seconds": "1"}, "is not legal"),
        ({"verdict": "left", "moves": "x", "seconds": "1"}, "are numbers"),
        ({"verdict": "left", "moves": "4", "seconds": "nan"}, "some seconds"),
        ({"verdict": "left"}, "which question"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(judged: Any, values: dict[str, str], says: str):
    asked = {"game": "tic_tac_toe", **values}
    path = "answer" if "verdict" in values else "next"
    assert says in refusal(judged.post(f"/judge/{path}", json=asked), 400)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A visitor of a server that has a file of another game."""
    folder = tmp_path_factory.mktemp("judged")
    file = held(folder, "other")
    file.path.parent.mkdir()
    head = {"format": "arena-verdicts-1", "game": "ConnectFour()", "game_version": 1}
    file.path.write_text(json.dumps(head) + "\n")
    with client(folder / "runs") as visitor:
        yield visitor


def centre(states: State) -> np.ndarray:
    """A hidden rule f32[N]: 1 where seat 0 holds the centre, -1 where seat 1 does."""
    seen = np.asarray(jax.vmap(GAME.observe, (0, None))(states, jnp.int32(0)))
    cells = seen.reshape(len(seen), 9, -1)
    return cells[:, 4, 0] - cells[:, 4, 1]


def answer_by_centre(page: Any, *, click: bool = False) -> str:
    """Says who holds the centre, or in which position the first does, as the page shows it."""
    page.wait_for_selector(SHOWN)
    token = page.locator("#judge").get_attribute("data-token")
    values = []
    for board in page.locator("#pictures .board").all():
        piece = board.locator(CENTRE)
        name = piece.first.get_attribute("class") if piece.count() else ""
        values.append(1 if "first" in (name or "") else -1 if "second" in (name or "") else 0)
    better = values[0] - (values[1] if len(values) > 1 else 0)
    side = "left" if better > 0 else "right" if better < 0 else "equal"
    if click:
        page.locator(f"#{side}").click()
    else:
        page.keyboard.press(
            {"left": "ArrowLeft", "right": "ArrowRight", "equal": "ArrowDown"}[side]
        )
    page.wait_for_selector(f"{SHOWN}:not([data-token='{token}'])")
    return side


def test_a_person_answers_in_two_windows_of_a_browser(web: Web, page: Any):
    page.goto(f"{web.url}/judge")
    page.locator("#who").fill("ann")
    page.get_by_role("button", name="Begin").click()
    other = page.context.new_page()
    other.goto(f"{web.url}/judge?game=tic_tac_toe&kind=positions&who=bob")
    for turn in range(3):
        answer_by_centre(page, click=turn == 1)
        answer_by_centre(other, click=turn == 1)
    assert page.locator("#mine").inner_text() == "3"
    shown = page.locator("#judge").get_attribute("data-token")
    page.reload()
    page.wait_for_selector(SHOWN)
    assert page.locator("#judge").get_attribute("data-token") == shown
    page.keyboard.press("ArrowUp")  # skipped
    page.wait_for_selector(f"{SHOWN}:not([data-token='{shown}'])")
    kept = held(web.place.folder).read()
    assert sorted(one.who for one in kept) == ["ann"] * 3 + ["bob"] * 3
    assert len({one.question for one in kept}) == 6
    assert all(0 < one.seconds < 300 for one in kept)
    for one in kept:  # what the file says is what the person saw
        assert _centre_says(one.question) == one.verdict
    other.close()


def _centre_says(question: Question) -> int:
    first = centre(replay(GAME, [question.moves]))[0]
    second = centre(replay(GAME, [question.other]))[0] if question.other is not None else 0
    return int(np.sign(first - second))


@pytest.mark.slow
def test_a_person_s_rule_is_learnt_and_played(cache: Path, tmp_path: Path, browser: Any):
    """≥ 90 % agreement on held-out pairs after ≤ 500 verdicts; then a league takes the centre."""
    place = Place(tmp_path, cache)
    context = browser.new_context()
    with served(place) as web:
        pages = [context.new_page() for _ in range(2)]
        for page, kind in zip(pages, ("seats", "positions"), strict=True):
            page.set_default_timeout(240_000)
            page.goto(f"{web.url}/judge?game=tic_tac_toe&kind={kind}&who=ann")
        for _ in range(60):
            for page in pages:
                answer_by_centre(page)
        told = pages[0].locator("#held-out").inner_text()
        # A server that is killed loses nothing; what is said while it is gone is sent again.
        web.process.kill()
        web.process.wait()
        pages[0].wait_for_selector(SHOWN)
        pages[0].keyboard.press("ArrowLeft")
        pages[0].locator("#error", has_text="kept and sent again").wait_for()
        assert len(held(tmp_path).read()) == 120
        port = re.findall(r"\d+", web.url)[-1]
    with served(place, "--port", port) as web:
        pages[0].wait_for_selector(SHOWN)
        assert len(held(tmp_path).read()) == 121
    context.close()
    right, decided = map(int, re.findall(r"\d+", told)[:2])
    assert right / decided >= 0.9, told
    kept = held(tmp_path).read()[:120]
    judge = HumanJudge(held(tmp_path))
    params = judge.fit(kept)
    found = recorded_openings(GAME, jax.random.key(9), count=1000, plies=7, room=1000)
    truth = centre(found.states)
    said = preference.ask(GAME, judge.network, params, found.states)
    pairs = preference.difference(said[:, :500], said[:, 500:]).mean(0)
    assert preference.agreement(said.mean(0), truth) >= 0.9
    assert preference.agreement(pairs, truth[:500] - truth[500:]) >= 0.9
    options = "--learner imitation --network mlp --learner.network.width 64 --generations 8"
    options += " --matches 8 --pairs 64 --slots 64 --opening-plies 0 --name taste"
    line = ["train", "tic_tac_toe", *options.split()]
    place.lines(*line, "--judge", f"human:{held(tmp_path).path}", timeout=3600)
    assert first_moves(place.run("taste"))[4] > 0.5  # by chance 0.11; 0.56 after 6 generations


def first_moves(run: Path) -> np.ndarray:
    """How likely a run's newest policy makes each first move, f32[9]."""
    from league.store.run import Run

    work = Run(run)
    number = max(work.snapshots.numbers())
    seen = GAME.observe(GAME.init(), jnp.int32(0))[None]
    found = np.asarray(jax.nn.softmax(work.learner.logits(work.weights(number), seen)[0]))
    work.close()
    return found
