"""Training that goes on from the weights of another snapshot, or of a net that comes with Arena."""

import json
import shutil
from pathlib import Path

import pytest

from agents.nn.networks import ResNetConfig
from games import load
from league.cli import names
from league.cli.entry import main
from league.settings import defaults
from league.store import pretrained
from league.store.checkpoints import digest
from tests.helpers.command import Place

SIZE = ("--generations=1", "--rounds=1", "--matches=1", "--pairs=4", "--slots=4")


@pytest.mark.slow
def test_it_begins_with_the_weights_and_ends_the_same_after_a_kill(here: Place, tiny: Path, capsys):
    here.adopt(tiny, "mine")
    main(["train", "tic_tac_toe", "--from", "mine:2", *SIZE, "--name", "more", "--json"])
    source, more = names.run("mine"), names.run("more")
    assert more.card["from"] == {"name": "mine:2", "digest": source.digests()["2"]}
    assert more.digests()["0"] == source.digests()["2"] != more.digests()["1"]
    assert more.config.learner.network == source.config.learner.network
    ended = more.digests()["1"]
    for part in more.folder.iterdir():  # as a kill before generation 0 was saved would leave it
        if part.is_dir() and part.name != "initial":
            shutil.rmtree(part)
        elif part.name not in ("run.json", "initial"):
            part.unlink()
    main(["train", "tic_tac_toe", "--resume", "--name", "more", "--json"])
    assert names.run("more").digests()["1"] == ended


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--from uniform", "has no weights: --from takes RUN, RUN:ID, pretrained:GAME or FILE.npz"),
        ("--from mine:2,simulations=8", "has no weights"),
        ("--from mine:99", "no snapshot 99"),
        ("--from none", "there is no run 'none'"),
        ("--from pretrained:connect_four", "does not play the same game"),
        ("--from mine:2 --learner.network.channels 64", "a network of another size"),
        ("--from mine:2 --resume --name mine", "leave --from away"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    here: Place, tiny: Path, capsys, arguments: str, says: str
):
    here.adopt(tiny, "mine")
    with pytest.raises(SystemExit) as ended:
        main(["train", "tic_tac_toe", *arguments.split()])
    assert ended.value.code == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_weights_that_were_changed_are_refused(here: Place, tiny: Path, capsys):
    here.adopt(tiny, "mine")
    main(["train", "tic_tac_toe", "--from", "mine:2", *SIZE, "--name", "more", "--json"])
    more = names.run("more")
    card = json.loads((more.folder / "run.json").read_text())
    more.card["from"] = card["from"] | {"digest": "0"}
    with pytest.raises(Exception, match="wrong digest"):
        more.initial_state()


def test_a_net_that_comes_with_arena_settles_network_and_learner():
    game = load("connect_four")
    weights = names.initial_weights("pretrained:connect_four", game)
    net = pretrained.read("pretrained:connect_four")
    assert digest(weights.params) == digest(net.params)
    for time in ("", "1h"):
        found = defaults.default("connect_four", game, time=time, settled=weights.network)
        assert found.learner.network == net.config.network == ResNetConfig(32, 4)
