"""Bad input ends in one line on stderr and exit code 2, with nothing written and nothing lost."""

import json
import os
import resource
from pathlib import Path

import pytest

import games
from arena.errors import UserError
from league.cli import device, names
from league.settings.config import Config
from league.store import card as cards
from league.store import runs
from league.store.run import Run
from tests.helpers.command import TINY, check_refusal, contents, held

LARGE = {
    "train tic_tac_toe": "--generations --matches --pairs --rounds --slots --main-exploiters "
    "--league-exploiters --exploiter-generations --opening-plies --shards --learner.batch-size "
    "--learner.replay-ratio --learner.replay-window --learner.simulations --learner.shards "
    "--learner.network.channels --learner.network.blocks --measure.opponents --measure.pairs "
    "--measure.baseline-pairs --measure.simulations --measure.rollouts --measure.opening-plies",
    "rate a": "--games --pairs",
    "match a b": "--pairs --opening-plies",
    "gate a": "--best-of --simulations --opening-plies --pairs --max-pairs --heldout-pairs",
    "exploit a": "--generations --pairs",
    "accuracy a": "--pairs --opening-plies --simulations",
    "verify nim pettingzoo:x": "--games",
}
"""Options of commands that have an upper bound."""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("frobnicate", "there is no command 'frobnicate'"),
        ("--frobnicate", "there is no command"),
        ("train", "train: "),
        ("train chess_960", "no game is called 'chess_960'"),
        ("train tic_tac_toe:size=4", "no option 'size'"),
        ("train tic_tac_toe connect_four", "train: "),
        ("train tic_tac_toe --bogus 1", "--bogus"),
        ("train tic_tac_toe --learner.bogus 1", "--learner.bogus"),
        ("train tic_tac_toe --generations", "generations"),
        ("train tic_tac_toe --generations many", "many"),
        ("train tic_tac_toe --generations 2.5", "2.5"),
        ("train tic_tac_toe --generations 0", "generations must be positive"),
        ("train tic_tac_toe --time soon", "a time is written as 90s"),
        ("train tic_tac_toe --time 1m --generations 3", "give --time or"),
        ("train tic_tac_toe --pairs -1", "pairs must be positive"),
        ("train tic_tac_toe --pool-share 2", "pool_share"),
        ("train tic_tac_toe --pool-share nan", "pool_share"),
        ("train tic_tac_toe --seed -1", "seed"),
        ("train tic_tac_toe --seed 99999999999999999999", "seed"),
        ("train tic_tac_toe --matchmaker nobody", "nobody"),
        ("train tic_tac_toe --opening-plies -1", "opening_plies"),
        ("train tic_tac_toe --main-exploiters -1", "exploiters must not be negative"),
        ("train tic_tac_toe --exploiter-generations 0", "exploiter_generations must be positive"),
        ("train tic_tac_toe --learner.batch-size 0", "batch_size"),
        ("train tic_tac_toe --learner.learning-rate nan", "learning_rate"),
        ("train tic_tac_toe --learner.network.channels 3", "channels"),
        ("train tic_tac_toe --measure.rollouts -5", "rollouts"),
        ("train tic_tac_toe --name up/and/away", "cannot be the name"),
        ("train tic_tac_toe --name ..", "cannot be the name"),
        ("train tic_tac_toe --name a:b", "cannot be the name"),
        ("train tic_tac_toe --name q?mode=memory", "cannot be the name"),
        ("train tic_tac_toe --name victim%2Fleague.db?x", "cannot be the name"),
        ("train tic_tac_toe --name uniform", "'uniform' is the name of an agent"),
        ("train tic_tac_toe --name pretrained", "'pretrained' is the name of an agent"),
        (f"train tic_tac_toe --name {'x' * 300}", "too long"),
        ("train tic_tac_toe --resume", "there is no run of tic_tac_toe to resume"),
        ("train tic_tac_toe --resume --name none", "there is no run 'none'"),
        ("train tic_tac_toe --resume --name ../none", "is not the name of a run"),
        ("rate", "rate: "),
        ("rate none", "there is no run 'none'"),
        ("rate none --games -5", "games must not be negative"),
        ("rate none --pairs 0", "pairs must be positive"),
        ("rate none --games 5 --round-robin", "leave games away"),
        ("report none", "there is no run 'none'"),
        ("report .", "is not the name of a run"),
        ("match uniform", "match: "),
        ("match uniform mcts:100", "plays any game"),
        ("match none:1 uniform", "there is no run 'none'"),
        ("match uniform none:1", "there is no run 'none'"),
        ("match a b --pairs 0", "pairs must be positive"),
        ("match a b --opening-plies -1", "opening_plies must not be negative"),
        ("match a b --seed -1", "seed"),
        ("match uniform uniform --game nim --record a.txt", "end in .pgn, .sgf, .jsonl"),
        ("match uniform uniform --game nim --record a.pgn", "a PGN file holds games of chess"),
        ("match uniform uniform --game nim --record a.sgf", "SGF has no games of nim"),
        ("match uniform uniform --game nim --record no/a.jsonl", "there is no such folder"),
        ("match uniform uniform --game nim --openings a.jsonl", "a.jsonl: No such file"),
        ("match uniform uniform --game nim --openings a.epd", "holds positions of chess"),
        ("match a b --record a.pgn --pairs 20000", "pairs must be at most 10,000"),
        ("play uniform --game nim --record a.pgn", "a PGN file holds games of chess"),
        ("replay", "replay: "),
        ("replay none.pgn", "none.pgn: No such file"),
        ("replay none.txt", "end in .pgn, .sgf, .jsonl"),
        ("replay none.pgn --game 0", "game must be positive"),
        ("mcp --port 0", "port must be positive"),
        ("play", "play: "),
        ("play none", "there is no run 'none' in runs; there are pretrained:"),
        ("play none --seat third", "third"),
        ("games tic_tac_toe", "games: "),
        ("match policy:./none.py uniform", "plays any game"),
        ("match policy:./none.py uniform --game nim", "there is no Python file './none.py'"),
        ("match uniform policy: --game nim", "neither a module nor a Python file"),
        ("play policy:./none.py --game nim", "there is no Python file './none.py'"),
        ("verify", "verify: "),
        ("verify nim", "verify: "),
        ("verify nim nim", "a native game, then the env that it ports"),
        ("verify pettingzoo:x pettingzoo:x", "a native game, then the env that it ports"),
        ("verify chess_960 pettingzoo:x", "no game is called 'chess_960'"),
        ("verify nim pettingzoo:", "names no env"),
        ("verify nim pettingzoo:./none.py", "there is no file none.py"),
        ("verify nim pettingzoo:no_such.module", "there is no module 'no_such.module'"),
        ("verify nim pettingzoo:math", "no function env"),
        ("verify nim pettingzoo:classic/nim-v0", "nim"),
        ("verify nim pettingzoo:x --games 0", "games must be positive"),
        ("verify nim pettingzoo:x --seed -1", "seed"),
        ("verify nim pettingzoo:x --moves ./none.py", "there is no Python file './none.py'"),
        ("verify nim pettingzoo:x --observations x", "there is no module 'x'"),
        *(
            (f"{line} {figure} 10000000000000000000000000000", "must be at most")
            for line, figures in LARGE.items()
            for figure in figures.split()
        ),
        ("train tic_tac_toe --learner.learning-rate 1e300", "must be at most"),
        ("gate a --elo1 1e300", "elo0 and elo1 must lie between -10,000 and 10,000"),
        ("train tic_tac_toe --matches 10000 --pairs 1000 --rounds 2", "matches × pairs × rounds"),
        ("train chess:plies=1000000000000", "not one of 1 to 100,000"),
        ("match uniform mcts:1000000000000 --game nim", "a number of rollouts up to 1,000,000"),
        (f"match uniform mcts:{'9' * 5000} --game nim", "a number of rollouts up to 1,000,000"),
        ("match uniform gnugo:level=1000000000000 --game go", "level lies between"),
        ("match pretrained:connect_four,simulations=9999999 uniform", "up to 1,000,000"),
    ],
)
def test_without_a_run(refused, line, says):
    assert says in refused(line)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("match a:9 uniform", "run 'a' has no snapshot 9; it has 0 to 3"),
        ("match a:x uniform", "a snapshot's id is a number, not 'x'"),
        ("match a:-1 uniform", "a snapshot's id is a number"),
        ("match a:1,foo=2 uniform", "'foo=2' is not simulations=N"),
        ("match a:1,simulations=-2 uniform", "is not simulations=N"),
        ("match a:1,simulations=1000000000000 uniform", "is not simulations=N, up to 1,000,000"),
        (f"match a:{'9' * 5000} uniform", "a snapshot's id is a number"),
        (f"gate a:{'9' * 5000}", "has no snapshot"),
        ("match a:1 mcts:0", "not '0'"),
        ("match a:1 mcts:x", "not 'x'"),
        ("match a:1 mcts", "mcts takes a number of rollouts"),
        ("match uniform:3 a:1", "uniform takes no argument"),
        ("match a:1 search:3", "there is no run 'search'"),
        ("play a:9", "no snapshot 9"),
        ("play uniform", "plays any game"),
        ("train tic_tac_toe --name a", "there is a run 'a' already"),
        ("train connect_four --resume --name a", "run 'a' plays tic_tac_toe"),
        ("train tic_tac_toe --resume --name a --pairs 9", "only --generations may change"),
        ("train tic_tac_toe --resume --name a --generations 2", "has 3 generations already"),
        ("train tic_tac_toe --resume --generations x", "x"),
        ("train tic_tac_toe --resume --learner ppo", "run 'a' keeps its learner, alphazero"),
        ("train tic_tac_toe --resume --network mlp", "run 'a' keeps its network, resnet"),
        ("train tic_tac_toe --resume --judge x:Y", "x"),
    ],
)
def test_beside_a_run(refused, here, tiny, line, says):
    here.adopt(tiny, "a")
    assert says in refused(line)


def test_unlike_games_do_not_meet(refused, here, tiny):
    here.adopt(tiny, "a")
    assert "does not play the same game" in refused("match a:1 pretrained:connect_four")


CARDS = {
    "no JSON": lambda card: "{",
    "no text": lambda card: b"\xff\xfe\x00",
    "empty": lambda card: "",
    "a list": lambda card: [card],
    "another program's": lambda card: {"name": "x", "version": "1.0.0"},
    "another version's": lambda card: {**card, "format": "arena-run-0"},
    "no game": lambda card: {k: v for k, v in card.items() if k != "game"},
    "no config": lambda card: {k: v for k, v in card.items() if k != "config"},
    "no judge": lambda card: {k: v for k, v in card.items() if k != "judge"},
    "unknown learner": lambda card: {**card, "learner": "nobody"},
    "unknown network": lambda card: {**card, "network": "nothing"},
    "another version of the game": lambda card: {**card, "game_version": 99},
    "unknown game": lambda card: {**card, "game": "chess_960"},
    "game of a kind": lambda card: {**card, "game": 3},
    "missing key": lambda card: {**card, "config": {"generations": 3}},
    "extra key": lambda card: {**card, "config": {**card["config"], "extra": 1}},
    "wrong type": lambda card: {**card, "config": {**card["config"], "pairs": "many"}},
    "wrong number": lambda card: {**card, "config": {**card["config"], "pairs": -1}},
}


@pytest.mark.parametrize("line", ["match a:1 uniform", "train tic_tac_toe --resume --name a"])
@pytest.mark.parametrize("case", CARDS)
def test_a_bad_card(refused, here, tiny, case, line):
    path = here.adopt(tiny, "a") / "run.json"
    card = CARDS[case](json.loads(path.read_text()))
    text = card if isinstance(card, str | bytes) else json.dumps(card)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    assert refused(line)


def test_damage_of_other_runs_does_not_keep_a_run_from_going_on(refused, here, tiny):
    here.adopt(tiny, "a")
    bad = {"text": "{", "nested": "[" * 100_000, "first": '{"format": "arena-run-1", "config": 3}'}
    first = {"learner": {"considered": 1, "network": 3}, "measure": []}
    bad["parts"] = json.dumps({"format": "arena-run-1", "config": first})
    for name in (*bad, "pipe", "link", "folder"):
        here.run(name).mkdir()
    for name, text in bad.items():
        (here.run(name) / "run.json").write_text(text)
    os.mkfifo(here.run("pipe") / "run.json")
    (here.run("link") / "run.json").symlink_to("nothing")
    (here.run("folder") / "run.json").mkdir()
    says = "run 'a' has 3 generations already"
    assert says in refused("train tic_tac_toe --resume --generations 2")
    for name in (*bad, "pipe", "link", "folder"):
        assert f"{name}" in refused(f"report {name}")


def test_of_two_starts_at_once_one_writes_the_card(here, monkeypatch):
    write = cards.write

    def slowly(folder: Path, card: dict) -> None:
        with pytest.raises(UserError, match="in use by another process"):
            runs.create("nim", Config(seed=1), name="race")
        write(folder, card)

    monkeypatch.setattr(cards, "write", slowly)
    assert runs.create("nim", Config(seed=0), name="race").card["seed"] == 0
    with pytest.raises(UserError, match="there is a run 'race' already"):
        runs.create("nim", Config(seed=1), name="race")
    assert Run(here.run("race")).card["seed"] == 0


def test_a_folder_is_not_taken_for_an_agent(here, tiny):
    here.adopt(tiny, "uniform")
    assert not names.is_run("uniform")
    assert names.agent("uniform", games.load("tic_tac_toe"))[1].name == "uniform"


@pytest.mark.parametrize("text", ["abc", "", "0", "-1", "1e9", "99999999999999999999"])
def test_a_number_of_devices_that_is_none(monkeypatch, text):
    monkeypatch.setenv("ARENA_CPU_DEVICES", text)
    with pytest.raises(UserError, match="ARENA_CPU_DEVICES must be a number from 1 to"):
        device.set_up_devices()


def test_a_file_in_the_place_of_the_runs(refused, here):
    (here.folder / "runs").write_text("mine")
    assert refused("train tic_tac_toe").startswith("runs/tic_tac_toe: Not a directory")
    assert "there is no run" in refused("rate a")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(refused, here, tiny):
    run = here.adopt(tiny, "a")
    for folder in (run.parent, run):
        folder.chmod(0o555)
    try:
        assert "Permission denied" in refused("train tic_tac_toe --name b")
        assert "Permission denied" in refused("report a")
    finally:
        for folder in (run.parent, run):
            folder.chmod(0o755)


def test_a_person_who_leaves(place, tiny):
    place.adopt(tiny, "a")
    before = held(place.folder)
    done = place.call("play", "a:3", "--json", stdin="b2\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("arena: ") == 1
    assert done.stderr.endswith("arena: the game was left before its end\n")
    assert "Traceback" not in done.stderr
    assert held(place.folder) == before


def test_a_full_disk_ends_training_and_resuming_mends_it(place, tiny):
    with place.start(*TINY, "--name", "a") as process:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
        out, err = process.communicate(timeout=120)
    assert '"phase": "learn"' in out  # it came some way
    assert '"result"' not in out
    assert "runs/a/" in check_refusal(process.returncode, "", err)
    place.lines("train", "tic_tac_toe", "--resume", "--name", "a")
    assert contents(place.run("a")) == contents(tiny)
