"""The gate's decision, where the truth about everybody is known."""

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from arena.errors import UserError
from arena.evaluation.score import NELO
from arena.evaluation.sprt import Sprt
from league.gate.decision import Answers, Gate, Rule, Trial, pentanomial, sign_test
from league.gate.store import Lineage
from league.store.database import MatchResult, Results

PAIRS = np.array([[0, 0], [0.5, 0], [0.5, 0.5], [1, 0.5], [1, 1]])
"""A pair of games for each number of points, 0 to 2."""
BASE = np.array([1, 2, 6, 2, 1], float)


def truth(nelo: float) -> np.ndarray:
    """Probabilities of 0, ½, 1, 1½, 2 points at this difference: the base, tilted."""

    def tilted(x: float) -> np.ndarray:
        p = BASE * np.exp(x * np.arange(5))
        return p / p.sum()

    def excess(x: float) -> float:
        p, points = tilted(x), np.arange(5) / 4
        mean = p @ points
        return float((mean - 0.5) / np.sqrt(2 * p @ (points - mean) ** 2)) - nelo / NELO

    return tilted(float(optimize.brentq(excess, -20, 20)))  # type: ignore[arg-type]


class World:
    """Agents whose differences are known; plays trials, and counts them.

    Args:
      nelo: by opponent, how far any candidate is above it.
      seed: of the games.
    """

    def __init__(self, nelo: Mapping[str, float], seed: int):
        self.chances = {name: truth(value) for name, value in nelo.items()}
        self.rng, self.trials = np.random.default_rng(seed), []

    def __call__(self, trial: Trial) -> np.ndarray:
        self.trials.append(trial)
        return PAIRS[self.rng.choice(5, trial.pairs, p=self.chances[trial.b])]


def promotions(rule: Rule, nelo: Mapping[str, float], runs: int, candidates: int = 1) -> float:
    """How often a candidate gets through, the first opponent being the champion."""
    champion, *judges = nelo
    names = [str(i) for i in range(candidates)]
    verdicts = [
        Gate(rule, names, champion, judges, World(nelo, seed)).decide() for seed in range(runs)
    ]
    return float(np.mean([verdict.promoted for verdict in verdicts]))


QUICK = Rule(elo1=120, pairs=32, veto=32)


def error(p: float, runs: int) -> float:
    """Three standard errors."""
    return 3 * np.sqrt(p * (1 - p) / runs)


def test_false_promotions_are_as_rare_as_promised():
    # Beats all judges, chosen from three: neither helps against a champion who is its equal.
    rate = promotions(QUICK, {"champion": 0, "a": 300, "b": 300}, 100, candidates=3)
    assert rate <= 0.05 + error(0.05, 100)


def test_who_is_better_and_nobodys_inferior_gets_through():
    nelo = {"champion": QUICK.elo1, "a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0}
    assert promotions(QUICK, nelo, 100) >= 0.95 - error(0.05, 100)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [QUICK, Rule(elo0=-20, elo1=60, alpha=0.02, beta=0.1, pairs=16)])
def test_both_errors_keep_within_what_is_promised(rule: Rule):
    runs = 1000
    equals = dict.fromkeys("abcdefgh", 0.0)
    false = promotions(rule, {"champion": rule.elo0, **equals}, runs, candidates=4)
    assert false <= rule.alpha + error(rule.alpha, runs)
    missed = 1 - promotions(rule, {"champion": rule.elo1, **equals}, runs)
    assert missed <= rule.beta + error(rule.beta, runs)


def test_the_promise_would_be_broken_by_careless_vetoes():
    # Eight equals, each of whom may veto at the usual 97.5 %: 1 - 0.975**8 = 18 % of true winners
    # fall.
    assert 8 * stats.norm.cdf(-Rule().doubt(8)) == pytest.approx(0.05 / 2)


def test_a_loss_to_anyone_is_a_veto():
    nelo = {"champion": 400, "friend": 200, "opponent": -200}
    world = World(nelo, 0)
    verdict = Gate(Rule(), ["7"], "champion", ["friend", "opponent"], world).decide()
    assert not verdict.promoted
    assert verdict.reason == "7 beats champion but loses to opponent"
    assert [(name, lost) for name, _, lost in verdict.vetoes] == [
        ("friend", False),
        ("opponent", True),
    ]
    assert [t.pairs for t in world.trials if t.stage == "veto"] == [128, 128]


def test_vetoes_are_not_asked_where_the_champion_was_not_beaten():
    world = World({"champion": -300, "a": 0}, 0)
    verdict = Gate(Rule(), ["7"], "champion", ["a"], world).decide()
    assert verdict.reason == "7 is not better than champion"
    assert not verdict.promoted
    assert verdict.vetoes == ()
    assert {trial.stage for trial in world.trials} == {"test"}


def test_a_test_without_an_answer_refuses():
    world = World({"champion": 12.5}, 0)
    verdict = Gate(Rule(elo1=25, most=96), ["7"], "champion", [], world).decide()
    assert not verdict.promoted
    assert verdict.reason == "96 pairs did not decide between 7 and champion"
    assert [trial.pairs for trial in world.trials] == [64, 32]
    assert sum(verdict.test) == 96
    assert Sprt(0, 25).bounds == verdict.bounds  # nobody can veto: all of beta is the test's
    assert verdict.llr == Sprt(0, 25).llr(verdict.test)


def answers(better: int, worse: int) -> Answers:
    """To 100 positions: so many that the candidate alone keeps, and so many the champion alone."""
    alone = np.arange(100)
    return Answers(alone >= worse, (alone < worse) | (alone >= worse + better), 7)


@pytest.mark.parametrize(("better", "worse", "lost"), [(0, 5, False), (0, 6, True), (9, 6, False)])
def test_who_keeps_the_value_less_often_is_refused(better: int, worse: int, lost: bool):
    # Of six positions in which one of them errs all six: 1/64 < 0.05/2. Of five: 1/32 is more.
    asked, told = [], []

    def ask(*names: str) -> Answers:
        asked.append(names)
        return answers(better, worse)

    world = World({"champion": 400}, 0)
    verdict = Gate(Rule(), ["7"], "champion", [], world, told.append, ask).decide()
    assert asked == [("7", "champion")]
    assert verdict.promoted != lost
    assert verdict.exam is not None
    assert verdict.exam[:3] == (100, 100 - worse, 100 - better)
    assert (verdict.exam.lost, verdict.exam.passes) == (lost, 7)
    assert told[-1]["event"] == "exam"
    assert verdict.bounds == Sprt(0, 25, beta=0.025).bounds  # it takes its share of beta
    if lost:
        assert verdict.reason == (
            "7 beats champion but keeps the value in 94 of 100 positions, the champion in 100"
        )


def test_exact_values_take_their_share_among_the_vetoes():
    # One of two who may veto: 1/64 is more than 0.05/4.
    world = World({"champion": 400, "a": 300}, 0)
    verdict = Gate(Rule(), ["7"], "champion", ["a"], world, ask=lambda *_: answers(0, 6)).decide()
    assert verdict.promoted
    unbeaten = World({"champion": -300}, 0)
    asked = Gate(Rule(), ["7"], "champion", [], unbeaten, ask=lambda *_: answers(0, 6)).decide()
    assert asked.exam is None


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (0, 6), (3, 1), (40, 70), (900, 1100)])
def test_the_sign_test_agrees_with_scipys(better: int, worse: int):
    expected = 1.0
    if better + worse:
        expected = stats.binomtest(worse, better + worse, alternative="greater").pvalue
    assert sign_test(better, worse) == pytest.approx(expected, rel=1e-9)


def test_openings_may_run_out():
    def play(trial: Trial) -> np.ndarray:
        return np.full((max(0, 80 - 64 * trial.number), 2), 0.5)[: trial.pairs]

    verdict = Gate(Rule(), ["7"], "champion", [], play).decide()
    assert verdict.reason == (
        "80 pairs did not decide between 7 and champion, and no more openings are held out"
    )
    with pytest.raises(UserError, match="no opening is held out"):
        Gate(Rule(), ["7"], "champion", [], lambda trial: np.zeros((0, 2))).decide()


def test_the_best_of_many_equals_is_flattered_and_fresh_games_say_by_how_much():
    # The expected maximum of four standard normal numbers is 1.029 (order statistics).
    rule, p = Rule(elo1=50, pairs=64, most=64), truth(0)
    sd = np.sqrt(p @ (np.arange(5) / 4 - 0.5) ** 2 / 64)
    found = []
    for seed in range(120):
        world = World({"champion": 0}, seed)
        verdict = Gate(rule, list("4321"), "champion", [], world).decide()
        chosen = dict(verdict.selection)[verdict.candidate]
        assert chosen.score == max(score.score for _, score in verdict.selection)
        assert verdict.inflation is not None
        found.append((*verdict.inflation, verdict.fresh.score))
        assert [t.a for t in world.trials if t.stage == "select"] == list("4321")
    inflation, half, fresh = np.array(found).T
    assert inflation.mean() == pytest.approx(1.029 * sd, abs=3 * 1.3 * sd / np.sqrt(120))
    assert fresh.mean() == pytest.approx(0.5, abs=3 * sd / np.sqrt(120))
    assert (half > 1.96 * sd).all()  # two scores, each uncertain
    assert Gate(rule, ["1"], "champion", [], World({"champion": 0}, 0)).decide().inflation is None


def test_of_equal_scores_the_first_is_taken():
    def play(trial: Trial) -> np.ndarray:
        return np.tile([[1.0, 0.0]], (trial.pairs, 1))

    verdict = Gate(Rule(most=64), ["9", "8"], "champion", [], play).decide()
    assert verdict.candidate == "9"


def test_every_trial_is_told():
    told = []
    world = World({"champion": 300, "a": 300}, 0)
    Gate(Rule(), ["7", "6"], "champion", ["a"], world, told.append).decide()
    assert [event["event"] for event in told] == [t.stage for t in world.trials]
    # The lower bound is that of half of beta: ln(0.025 / 0.95); the upper ln(0.975 / 0.05).
    words = next(event["words"] for event in told if event["event"] == "test")
    assert words.startswith("LLR: ")
    assert words.endswith(" (-3.64, 2.97) [0.00, 25.00]")


def test_pairs_for_stakes_keep_their_mean():
    exact = np.array([[1, 1], [0, 0.5], [0.5, 0.5], [1, 0.5], [0, 0]])
    assert pentanomial(exact, 0).tolist() == [1, 1, 1, 1, 1]
    assert pentanomial(exact.astype(np.float32) + np.float32(1e-8), 3).tolist() == [1] * 5
    # 1.3 half points: one or two of them, the second in three of ten.
    stakes = pentanomial(np.full((20_000, 2), 0.325), 1)
    assert stakes[[0, 3, 4]].tolist() == [0, 0, 0]
    assert stakes @ np.arange(5) / 20_000 == pytest.approx(1.3, abs=4 * np.sqrt(0.21 / 20_000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": 0}, "pairs must be positive, not 0"),
        ({"most": -1}, "most must be positive"),
        ({"veto": 0}, "veto must be positive"),
        ({"alpha": 0.7}, "alpha must lie between"),
        ({"elo0": 30}, "elo0 must be less than elo1"),
    ],
)
def test_bad_rules_are_refused_in_one_line(options, message):
    with pytest.raises(UserError, match=message):
        Rule(**options)


# --------------------------------------------------------------------------------------- the record

CHILD = """
import sys, time
from pathlib import Path
from league.lineage import Lineage
from league.results import Results
from tests.league.test_gate import kept

with Results(Path(sys.argv[1])) as results:
    kept(results, lambda: (print("played", flush=True), time.sleep(0.02)))
"""


def kept(results: Results, pause=lambda: None):
    """A gate of 13 trials, kept in a record; games depend on the trial alone."""
    lineage = Lineage(results)
    gate = lineage.ask({"candidates": [3, 2], "rule": "any"})

    def play(trial: Trial) -> tuple[np.ndarray, int]:
        pause()
        seed = [ord(trial.stage[0]), trial.number]
        return PAIRS[np.random.default_rng(seed).choice(5, trial.pairs, p=truth(30))], 10

    rule = Rule(elo1=30, pairs=16, most=144, veto=16)
    verdict = Gate(rule, ["3", "2"], "0", ["uniform"], lineage.kept(gate.id, 3, play)).decide()
    return gate, verdict


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The record of a run of four snapshots."""
    path = tmp_path / "league.db"
    with Results(path, create=True) as results:
        for number in range(4):
            results.write(number, [], (number, f"sha {number}"), {"generation": number})
    return path


def games(path: Path) -> list[tuple]:
    """Every trial with its games, in order of stage and number."""
    query = """
        SELECT stage, trials.number, a, b, passes, pairs.number, first, second
        FROM trials JOIN matches ON matches.id = trials.match JOIN pairs USING (match)
        ORDER BY 1, 2, 6
    """
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM matches").fetchone() == (
            connection.execute("SELECT count(*) FROM trials").fetchone()
        )
        return connection.execute(query).fetchall()


def test_a_gate_killed_at_any_moment_counts_every_game_once(record: Path, tmp_path: Path):
    undisturbed = tmp_path / "undisturbed.db"
    undisturbed.write_bytes(record.read_bytes())
    with Results(undisturbed) as results:
        _, expected = kept(results)
    root = Path(__file__).parents[2]
    done = 0
    for trials in (1, 2, 4):
        command = [sys.executable, "-c", CHILD, str(record)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            assert process.stdout is not None
            for _ in range(trials):
                assert process.stdout.readline() == "played\n"
            process.kill()
            process.stdout.close()
        assert done <= len({row[:2] for row in games(record)})  # none is lost
        done = len({row[:2] for row in games(record)})
    assert done > 0
    with Results(record) as results:
        _, verdict = kept(results)
        assert len(Lineage(results).gates()) == 1
    assert verdict == expected
    assert games(record) == games(undisturbed)


def test_a_trial_is_never_written_twice(record: Path):
    trial = Trial("test", 0, "3", "0", 2)
    with Results(record) as results:
        lineage = Lineage(results)
        gate = lineage.ask({"x": 1})
        lineage.record(gate.id, trial, 3, np.ones((2, 2)), 5)
        with pytest.raises(Exception, match="UNIQUE"):
            lineage.record(gate.id, trial, 3, np.zeros((2, 2)), 5)
        found = lineage.scores(gate.id, trial)
        assert found is not None
        assert found.tolist() == [[1, 1], [1, 1]]
        assert lineage.scores(gate.id, trial._replace(number=1)) is None
        assert lineage.passes() == 5
    assert len(games(record)) == 2


def test_the_same_question_is_the_same_gate(record: Path):
    with Results(record) as results:
        lineage = Lineage(results)
        first = lineage.ask({"candidates": [3]})
        assert lineage.ask({"candidates": [3]}) == first
        second = lineage.ask({"candidates": [2]})
        assert second.id == first.id + 1
        assert lineage.champions() == []
        lineage.answer(first.id, {"candidate": "3"}, 3)
        lineage.answer(second.id, {"candidate": "2"}, None)
        assert lineage.champions() == [3]
        assert [(g.verdict, g.body) for g in lineage.gates()] == [
            ("promoted", {"candidate": "3"}),
            ("refused", {"candidate": "2"}),
        ]


def test_games_of_the_gate_feed_nothing_else(record: Path):
    with Results(record) as results:
        results.write(3, [MatchResult("measure", "3", "2", np.ones((1, 2)))])
        before = results.tallies("train", "measure", "rate"), results.directed("measure", "rate")
        kept(results)
        after = results.tallies("train", "measure", "rate"), results.directed("measure", "rate")
        assert after == before


def test_a_record_from_before_there_were_gates_gets_its_tables(record: Path):
    with closing(sqlite3.connect(record)) as connection:
        for table in ("champions", "trials", "gates"):
            connection.execute(f"DROP TABLE {table}")
    with Results(record) as results:
        assert Lineage(results).champions() == []
        assert Lineage(results).ask({}).id == 1
