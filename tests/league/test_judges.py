"""Runs with another judge than the rules: what is recorded of it, alarms, resuming, the gate."""

import json
from pathlib import Path

import numpy as np
import pytest

import games
import league
from agents import uniform
from agents.learners.imitation import ImitationConfig
from agents.nn.networks import MLPConfig
from agents.policies import SearchPolicy
from arena.errors import UserError
from arena.judges.program import Program
from arena.judges.rules import Rules
from league.evaluation import judge_parting
from league.evaluation.compute_ledger import JudgeCost
from league.gate.statistics import expected_maximum
from league.settings.config import Config, MeasureConfig
from league.settings.json_object import JsonObject
from league.training.events import Event, GenerationEvent
from tests.helpers.command import TINY, Place, contents
from tests.league.test_resume import Moment, disturb

PROGRAM = """
import numpy as np

def judge(states, seen):   # whoever holds the centre has won; numpy, since it looks at values
    cells = np.asarray(seen).reshape(len(seen), 9, -1)
    return cells[:, 4, 0] - cells[:, 4, 1]
"""


def history(excess: np.ndarray, *, pairs: int = 64, right: float = 90.0) -> list[JsonObject]:
    """Figures of generations 1, 2, … whose pairs have the excesses f64[generations, pairs]."""
    return [{"generation": 0}] + [
        {
            "generation": number,
            "judged": {
                "excess": float(one.mean()),
                "excess_squares": float(np.square(one - one.mean()).sum()),
                "pairs": pairs,
                "decided": 100,
                "right": right,
            },
        }
        for number, one in enumerate(excess, 1)
    ]


def test_a_judge_that_overrates_from_some_generation_on_is_told_of():
    rng = np.random.default_rng(0)
    excess = rng.normal(0, 0.25, (20, 64))
    excess[11:] += 0.15
    found = judge_parting.parting(history(excess))
    assert found is not None
    assert abs(found.since - 12) <= 2
    assert found.excess == pytest.approx(0.15, abs=0.03)
    [alarm] = found.alarms
    assert f"is being gamed since generation {found.since}" in alarm
    assert "p = " in alarm


def test_a_judge_that_overrates_nobody_hardly_ever_raises_an_alarm():
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        excess = rng.normal(0, 0.25, (10, 32))
        looks = [judge_parting.alarms(history(excess[:n], pairs=32)) for n in range(1, 11)]
        alarms += any(looks)
    assert alarms / 300 <= judge_parting.ALPHA + 0.01  # 1 % promised, and the error of 300 runs
    under = judge_parting.parting(history(np.full((10, 64), -0.2)))
    assert under is not None  # one that underrates is no matter for this alarm
    assert under.alarms == []


def test_a_judge_that_knows_no_more_than_a_coin_is_named():
    found = judge_parting.alarms(history(np.zeros((1, 64)), right=52.0))
    assert len(found) == 1
    assert "no more than a coin" in found[0]
    assert judge_parting.parting([{"generation": 0}]) is None


def test_a_judge_that_has_come_to_call_everything_even_is_named():
    figures = history(np.zeros((2, 64)), right=50.0)
    figures[-1]["judged"]["named"] = 3
    [alarm] = judge_parting.alarms(figures)
    assert "settled on calling games even: it names somebody in 3 of 100 games" in alarm


def test_an_alarm_as_sure_as_numbers_go_has_a_bound_for_its_p_value():
    [alarm] = judge_parting.alarms(history(np.full((10, 4096), 0.3)))
    assert "(p < 1e-300)" in alarm


def test_what_a_judge_costs_is_counted_by_moves_and_simulations():
    """A compiled judge looks at every position of a match; one outside at the ends of games."""
    game = games.load("tic_tac_toe")
    rules, hosted = Rules(game), Program(game, "./mine.py")
    cost = JudgeCost()
    cost.add(100, SearchPolicy(game, MLPConfig(), 8))
    cost.add(50, uniform.Uniform(game))
    assert (cost.moves, cost.searches) == (150, 800)
    assert cost.positions(rules, 20, compiled=True) == 950
    assert cost.positions(rules, 20, compiled=False) == 820
    assert cost.positions(hosted, 20, compiled=True) == 820


@pytest.mark.parametrize(("count", "mean"), [(1, 0.0), (10, 1.539), (100, 2.508)])
def test_the_best_of_so_many_errors(count: int, mean: float):
    """Order statistics of the normal distribution; H. L. Harter, Biometrika 48 (1961)."""
    assert expected_maximum(count) == pytest.approx(mean, abs=1e-3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Place:
    """A folder with a program, a learnt judge and a file of verdicts."""
    place = Place(tmp_path_factory.mktemp("judges"), cache)
    (place.folder / "mine.py").write_text(PROGRAM)
    options = "--comparisons 256 --ensemble 2 --network mlp:width=16,layers=1"
    line = ("judge", "train", "tic_tac_toe", "--out", "tic_tac_toe.npz", *options.split())
    [found] = place.lines(*line)
    assert found["measured"]["accuracy"] > 0.6
    answers = "".join(f"{n % 2}\n" for n in range(20)) + "quit\n"
    done = place.call("judge", "ask", "tic_tac_toe", "said.jsonl", "--who", "ann", stdin=answers)
    assert done.returncode == 0, done.stderr
    [said] = place.lines("judge", "ask", "tic_tac_toe", "said.jsonl")
    assert (said["verdicts"], said["people"]) == (20, ["ann"])
    return place


@pytest.mark.slow
@pytest.mark.parametrize(
    "judge", ["flipped:0.1", "human:said.jsonl", "adjudicated:3,by=learned:tic_tac_toe.npz"]
)
def test_a_league_with_exploiters_is_killed_thrice_and_ends_with_the_same_bits(
    made: Place, monkeypatch: pytest.MonkeyPatch, judge: str
):
    monkeypatch.chdir(made.folder)  # the card names the judge's file from there
    line = (*TINY, "--judge", judge)
    name = judge.replace(":", "-").replace("=", "").replace(",", "-").replace("/", "")
    done = made.call(*line, "--name", f"{name}-whole")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert [one["generation"] for one in result["judge"]["generations"]] == [1, 2, 3]
    whole = made.run(f"{name}-whole")
    assert json.loads((whole / "run.json").read_text())["judge"] == judge
    page = (whole / "report.html").read_text()
    assert "What the judge says, and what the rules say" in page
    assert "Cost of the judge" in page
    kills = Moment(1, "play", 0.3), Moment(2, "learn", 0.1), Moment(3, "save")
    disturb(made, f"{name}-killed", kills, line)
    assert contents(made.run(f"{name}-killed")) == contents(whole)


@pytest.mark.slow
def test_a_gate_counts_how_often_a_judge_was_asked(made: Place, tiny: Path):
    made.adopt(tiny, "gated")
    options = "--judge flipped:0.2 --pairs 8 --max-pairs 16 --heldout-pairs 8 --simulations 0"
    asked = []
    for candidate in ("2", "3"):
        line = ["gate", f"gated:{candidate}", *options.split(), "--against", "uniform"]
        verdict = made.lines(*line)[-1]
        asked.append((verdict["judge"], verdict["asked"], verdict["reuse_inflation"]))
    assert [one[:2] for one in asked] == [("flipped:0.2", 1), ("flipped:0.2", 2)]
    assert asked[0][2] == pytest.approx(0, abs=1e-6)
    assert asked[1][2] > 0
    done = made.call("gate", "gated:2", "--judge", "self", *options.split()[2:])
    assert done.returncode == 2
    assert "a gate needs a judge that stays" in done.stderr


MOODS = """
import pathlib
import numpy as np

_FILE = pathlib.Path(__file__).with_name("mood")
_asked = 0

def judge(states):
    global _asked
    _asked += 1
    mood, fair = _FILE.read_text(), np.zeros(len(np.asarray(states[0])))
    if mood == "raises":
        raise RuntimeError("I am tired")
    if mood == "shape":
        return np.zeros(3)
    return fair + {"nan": np.nan, "large": 3, "mind": 1 - 2 * (_asked % 2)}.get(mood, 0)
"""


@pytest.mark.slow
def test_a_judge_that_breaks_in_the_middle_of_a_run_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each generation another way; the ones before are kept, and it goes on when it is mended."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moods.py").write_text(MOODS)
    mood, says = tmp_path / "mood", ["I am tired", "array of shape", "NaN", "NaN or", "its mind"]
    mood.write_text("fair")
    config = Config(
        generations=6,
        matches=1,
        pairs=4,
        learner=ImitationConfig(network=MLPConfig(width=8, layers=1), batch_size=8),
        measure=MeasureConfig(opponents=1, pairs=2, baseline_pairs=2, simulations=2, rollouts=2),
    )
    options: JsonObject = {"name": "moody", "judge": "program:./moods.py"}
    for number, name in enumerate(("raises", "shape", "nan", "large", "mind"), 1):

        def break_it(event: Event, number: int = number, name: str = name) -> None:
            if isinstance(event, GenerationEvent) and event.generation == number:
                mood.write_text(name)

        with pytest.raises(UserError, match=says[number - 1]) as refusal:
            league.train("tic_tac_toe", config, callback=break_it, **options)
        assert "\n" not in str(refusal.value)
        mood.write_text("fair")
        with league.open_run("moody") as kept:
            assert kept.snapshots == [str(n) for n in range(number + 1)]
        options["resume"] = True
    with league.train("tic_tac_toe", config, **options) as run:
        assert run.snapshots == [str(n) for n in range(7)]
