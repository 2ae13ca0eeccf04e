"""Every judge in games with and without search, and where information is hidden.

It trains, is in report and card, and a run that is killed ends with the same bits.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import games
from agents import judges
from agents.judges.verdicts import HumanVerdict, Question, VerdictFile
from agents.learners.imitation import ImitationConfig
from arena.errors import UserError
from tests.helpers.command import contents
from tests.helpers.forked import Forked

MINE = """
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

import arena

def _taste(cells, xp):
    cells = cells.reshape(len(cells), -1)
    return xp.tanh(cells @ xp.cos(xp.arange(cells.shape[1], dtype=xp.float32)))

def by_jax(states, seen):
    return _taste(seen, jnp)

def by_numpy(states, seen):
    return _taste(np.asarray(seen), np)

@dataclass(frozen=True)
class Mine(arena.Judge):
    game: object
    any_position = True

    def verdict(self, finals):
        return _taste(jax.vmap(self.game.observe, (0, None))(finals, jnp.int32(0)), jnp)
"""

GAMES = ("tic_tac_toe", "connect_four", "kuhn_poker")
JUDGES = (
    "rules",
    "flipped:0.2",
    "program:./mine.py:by_jax",
    "program:./mine.py:by_numpy",
    "solver",
    "learned:{game}.npz",
    "self:lag=1",
    "adjudicated:1,by=program:./mine.py:by_numpy",
    "adjudicated:1,by=self",
    "adjudicated:1,by=./mine.py:Mine",
    "human:{game}.jsonl",
    "./mine.py:Mine",
)
HIDDEN = ("solver", "human:{game}.jsonl")
"""Of those that need a game in which nothing is hidden."""

_LEAGUE = """
    --generations 2 --matches 2 --pairs 4 --slots 4 --measure.opponents 1 --measure.pairs 2
    --measure.baseline-pairs 0 --network mlp
    --learner.network.width 8 --learner.network.layers 1 --json
"""
_IMITATION = ("--learner", "imitation")
_SEARCH = ("--learner", "alphazero", "--learner.simulations", "2")
_KILLS = ((1, "play"), (1, "learn"), (2, "play"), (2, "measure"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Forked:
    """A folder with a person's functions, learnt judges and files of verdicts."""
    place = Forked(tmp_path_factory.mktemp("any"), cache)
    (place.folder / "mine.py").write_text(MINE)
    options = "--comparisons 64 --ensemble 2 --network mlp:width=8,layers=1"
    for game in GAMES:
        done = place.call("judge", "train", game, "--out", f"{game}.npz", *options.split())
        assert done.code == 0, done.err
        if games.load(game).perfect_information:
            file = VerdictFile(place.folder / f"{game}.jsonl", games.load(game))
            for moves, said in (((4,), 1), ((0, 4), -1), ((4, 0), 1), ((1, 2), 0)):
                file.add(HumanVerdict(Question(moves), said, "ann", 0.0, 1.0))
    return place


def _cases() -> list[tuple[str, str, tuple[int, str], tuple[str, ...]]]:
    found = [
        (game, judge)
        for game in GAMES
        for judge in JUDGES
        if not (game == "kuhn_poker" and judge in HIDDEN)
    ]
    return [
        (
            game,
            judge.format(game=game),
            _KILLS[at % len(_KILLS)],
            # Searches ask the judge, too: of each kind in one game.
            _SEARCH if game == GAMES[at % 2] else _IMITATION,
        )
        for at, (game, judge) in enumerate(found)
    ]


ENGINES = (
    ("go:size=5", "adjudicated:6,by=gnugo:level=1"),
    ("backgammon", "adjudicated:6,by=gnubg"),
    ("chess", "adjudicated:4,by=stockfish:nodes=100"),
)


@pytest.mark.slow
@pytest.mark.parametrize(("game", "judge"), ENGINES)
def test_an_engine_judges_cut_games_and_a_killed_run_ends_with_the_same_bits(
    made: Forked, game: str, judge: str
):
    engine = judge.partition("by=")[2].partition(":")[0]
    if shutil.which(engine, path=f"{os.environ['PATH']}:/usr/games") is None:
        pytest.skip(f"{engine} is not installed")
    told = _whole_and_killed(made, game, judge, (1, "learn"), _IMITATION)
    assert "s in its own code" in (made.folder / "runs" / told["run"] / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("game", "judge", "kill", "learner"), _cases())
def test_any_judge_trains_and_is_killed_and_ends_with_the_same_bits(
    made: Forked, game: str, judge: str, kill: tuple[int, str], learner: tuple[str, ...]
):
    _whole_and_killed(made, game, judge, kill, learner)


def _whole_and_killed(
    made: Forked, game: str, judge: str, kill: tuple[int, str], learner: tuple[str, ...]
) -> dict[str, Any]:
    """Trains a run, and one that is killed once; looks at both; the first one's last line."""
    line = ("train", game, *_LEAGUE.split(), *learner, "--judge", judge, "--name")
    name = "".join(c if c.isalnum() else "-" for c in f"{game}-{judge}")
    whole = made.call(*line, f"{name}-whole")
    assert whole.code == 0, whole.err
    folder = made.folder / "runs" / f"{name}-whole"
    told = json.loads(whole.out.splitlines()[-1])
    assert json.loads((folder / "run.json").read_text())["judge"] == judge
    page = (folder / "report.html").read_text()
    assert ("What the judge says, and what the rules say" in page) == (judge != "rules")
    if judge != "rules":
        generations = told["judge"]["generations"]
        assert [one["generation"] for one in generations] == [1, 2]
        assert all(one["verdicts"] > 0 for one in generations)
    killed = made.call(*line, f"{name}-killed", kill=kill)
    assert killed.code == -9, killed.err
    again = made.call("train", game, "--resume", "--name", f"{name}-killed")
    assert again.code == 0, again.err
    assert contents(folder.with_name(f"{name}-killed")) == contents(folder)
    return told


@pytest.mark.parametrize(
    ("game", "judge", "says"),
    [
        ("kuhn_poker", "solver", "the judge solver: no exact values are known"),
        ("kuhn_poker", "adjudicated:1,by=solver", "the judge solver: no exact values"),
        ("kuhn_poker", "adjudicated:1,by=flipped:0.1", "flipped:0.1 judges finished games alone"),
        ("backgammon", "solver", "the judge solver: no exact values"),
        ("tic_tac_toe", "stockfish", "stockfish plays chess, and nothing else"),
        ("chess", "gnugo", "gnugo plays go"),
        ("chess", "adjudicated:3,by=gnubg", "gnubg plays backgammon, and nothing else"),
        ("chess", "stockfish:skill=3", "a judge has all its skill"),
        ("chess", "stockfish:nodes=none", "stockfish: nodes lies between"),
        ("chess", "adjudicated:3,by=fruit", "there is no judge 'fruit'"),
    ],
)
def test_a_judge_that_cannot_judge_a_game_is_refused_in_one_line(game: str, judge: str, says: str):
    with pytest.raises(UserError) as refusal:
        judges.make(judge, games.load(game), ImitationConfig())
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
