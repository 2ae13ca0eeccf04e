"""A game that a PettingZoo env plays, on the web: every address is played anew in its process."""

import shutil
from pathlib import Path

import pytest

from league.cli import device
from tests.helpers import race
from tests.helpers.web_client import client, refusal


@pytest.mark.slow
def test_an_env_is_played_by_labelled_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device, "prepare", lambda: None)
    monkeypatch.chdir(tmp_path)
    shutil.copy(race.__file__, tmp_path / "race.py")
    with client(tmp_path / "runs", games=(race.RACE,)) as visitor:
        params = {"game": race.RACE, "agent": "uniform", "seat": "first"}
        assert "race.py" in visitor.get("/play").text
        answer = visitor.get("/play", params=params, follow_redirects=False)
        assert answer.status_code == 303
        search = answer.headers["location"].partition("?")[2]
        view = visitor.post("/play/look", json={"search": search}).json()
        assert view["turn"] == "you"
        plies = 0
        while view["turn"] != "over":
            asked = {"search": view["address"], "move": view["legal"][0]["label"]}
            view = visitor.post("/play/move", json=asked).json()
            if view["turn"] == "agent":
                view = visitor.post("/play/answer", json={"search": view["address"]}).json()
            plies += 1
            assert plies < 20
        assert view["result"] in (-1.0, 1.0)
        again = visitor.post("/play/look", json={"search": view["address"]}).json()
        assert again == view
        other = {"search": search.replace("race", "mace")}
        assert "there is no game" in refusal(visitor.post("/play/look", json=other), 400)
