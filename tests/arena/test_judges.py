"""Judges by name: what they say, and what is refused before a run begins."""

import threading
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import judges
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn.networks import MLPConfig
from arena import judge_weights
from arena.errors import UserError
from arena.evaluation.enumeration import raw
from arena.judges import check as contract
from arena.judges import hosted
from arena.judges.adjudicated import Adjudicated
from arena.judges.hosted import HostedJudge
from arena.judges.rules import Rules
from arena.play.device_loop import Match
from arena.play.openings import random_openings
from arena.sampling import game_numbers
from arena.types import Decision, Judge, ParametricJudge, Params, State, TrainingMoment

GAME = games.load("tic_tac_toe")
LEARNER = AlphaZeroConfig(network=MLPConfig(width=8, layers=1))

PROGRAM = """
import jax.numpy as jnp
import numpy as np

def judge(states, seen):            # JAX can trace it: whoever holds the centre
    cells = seen.reshape(len(seen), 9, -1)
    return cells[:, 4, 0] - cells[:, 4, 1]

def numpy_judge(states, seen):
    return np.asarray([judge(None, one[None])[0] for one in np.asarray(seen)])

def nan(states): return np.asarray(states[0]).reshape(len(states[0]), -1)[:, 0] * np.nan
def shape(states): return np.zeros(3)
def large(states): return np.full(len(states[0]), 3.0)
def raises(states): raise RuntimeError("I am\\nbroken")
calls = []
def moody(states):
    calls.append(np.asarray(states[0]))
    return np.full(len(calls[0]), len(calls) % 2)
def three(a, b, c): return a
number = 3
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a person's functions, in the working directory."""
    (tmp_path / "mine.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine.py"


@pytest.fixture(scope="module")
def finals() -> State:
    """How 2,048 random games end."""
    return contract.finals(GAME, jax.random.key(1), 2048)


def test_all_judges_but_the_rules_may_err():
    exact = {name for name, kind in judges.builtin().items() if kind.exact}
    assert exact == {"rules"}
    assert {"adjudicated", "flipped", "program", "self", "solver"} < set(judges.builtin())


def test_a_flipped_judge_errs_as_often_as_it_says(finals: State):
    truth = contract.verdicts(Rules(GAME), finals)
    judge = judges.make("flipped:0.2", GAME, seed=3)
    found = contract.verdicts(judge, finals)
    assert set(np.unique(found)) <= {-1.0, 0.0, 1.0}
    states = raw(finals)
    _, first = np.unique(states, return_index=True)
    share = (found != truth)[first].mean()  # of different positions: 958 of them, ± 0.03
    assert abs(share - 0.2) < 0.04
    again = contract.verdicts(judges.make("flipped:0.2", GAME, seed=3), finals)
    other = contract.verdicts(judges.make("flipped:0.2", GAME, seed=4), finals)
    assert (again == found).all()
    assert (other != found).any()
    assert (contract.verdicts(judges.make("flipped:0", GAME), finals) == truth).all()


def test_a_flipped_judge_errs_in_each_game_by_itself(finals: State):
    """In one position, played to its end in many games, in a share η of them; always the same."""
    judge = judges.make("flipped:0.2", GAME, seed=3)
    win = int(np.flatnonzero(contract.verdicts(Rules(GAME), finals) == 1)[0])
    same = jax.tree.map(lambda x: np.repeat(x[win : win + 1], 4000, 0), finals)
    keys, wanted = jax.random.split(jax.random.key(7), 40), jnp.ones(4000, bool)
    games = game_numbers(keys, jnp.tile(jnp.arange(100, dtype=jnp.int32), (40, 1))).reshape(-1)
    assert len(np.unique(games)) == 4000
    found = np.asarray(judge.verdicts_in_games(wanted, same, games))
    assert abs((found == -1).mean() - 0.2) < 0.02  # three standard deviations of 4,000 coins
    assert (np.asarray(judge.verdicts_in_games(wanted, same, games)) == found).all()
    draw = int(np.flatnonzero(contract.verdicts(Rules(GAME), finals) == 0)[0])
    same = jax.tree.map(lambda x: np.repeat(x[draw : draw + 1], 4000, 0), finals)
    assert abs(np.asarray(judge.verdicts_in_games(wanted, same, games)).mean()) < 0.03
    # The errors of a match's games differ, and so do those of two matches.
    table = found.reshape(40, 100)
    assert len(np.unique(table, axis=0)) == 40


def test_a_match_by_a_flipped_judge_is_scored_again_as_it_was():
    judge = judges.make("flipped:0.5", GAME)
    first = _play(judge, pairs=64)
    assert (_play(judge, pairs=64) == first).all()
    truth = _play(Rules(GAME), pairs=64)
    assert len(np.unique(truth, axis=1)[0]) == 1  # all of its games end alike
    assert abs((first != truth).mean() - 0.5) < 0.2


def test_a_program_judges_by_jax_or_by_numpy(program: Path, finals: State):
    few = jax.tree.map(lambda x: x[:64], finals)
    compiled = contract.verdicts(judges.check("program:./mine.py", GAME), few)
    hosted = judges.check("program:./mine.py:numpy_judge", GAME)
    assert (contract.verdicts(hosted, few) == compiled).all()
    assert set(np.unique(compiled)) <= {-1.0, 0.0, 1.0}
    assert (hosted.seconds_spent() or 0) > 0


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("program:./mine.py:nan", "NaN or lies outside"),
        ("program:./mine.py:large", "NaN or lies outside"),
        ("program:./mine.py:shape", "64 positions by an array of shape (3,)"),
        ("program:./mine.py:raises", "the judge raises RuntimeError: I am broken (mine.py, line"),
        ("program:./mine.py:moody", "changes its mind"),
        ("program:./mine.py:three", "takes 3 arguments"),
        ("program:./mine.py:number", "is no function"),
        ("program:./mine.py:nothing", "defines no 'nothing'"),
        ("program", "program:FILE.py"),
        ("flipped:2", "a probability lies between"),
        ("flipped", "flipped:PROBABILITY"),
        ("rules:3", "rules takes no argument"),
        ("self:3", "self or self:lag="),
        ("adjudicated:3", "adjudicated:PLIES,by=JUDGE"),
        ("adjudicated:3,by=rules", "rules judges finished games alone"),
        ("nobody", "there is no judge 'nobody'"),
    ],
)
def test_what_is_no_judge_is_refused_in_one_line(program: Path, name: str, says: str):
    with pytest.raises(UserError) as refusal:
        judges.check(name, GAME, LEARNER)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_nothing_can_be_its_own_judge_where_nothing_learns():
    with pytest.raises(UserError, match="no policy in training"):
        judges.make("self", GAME)


def _mover_plays_first(params: Params, keys: jax.Array, states: State) -> Decision:
    return Decision(jnp.argmax(jax.vmap(GAME.legal)(states), -1).astype(jnp.int32))


def _play(judge: Judge, params: Params = (), *, pairs: int = 4) -> np.ndarray:
    match = Match(GAME, _mover_plays_first, _mover_plays_first, judge=judge, slots=2)
    openings = random_openings(GAME, jax.random.key(0), shape=(1, pairs), plies=0)
    keys = jax.random.key(2)[None]
    played = match.play((), (), keys=keys, openings=openings, judge_params=params)
    return np.asarray(played.scores)


def test_a_cut_game_is_judged_as_it_stands():
    """X wins by always taking the first free cell; cut after six plies, that has not happened."""
    solver = judges.make("solver", GAME)
    assert _play(Rules(GAME))[0, 0].tolist() == [1.0, 0.0]
    assert _play(Adjudicated(GAME, 20, solver))[0, 0].tolist() == [1.0, 0.0]
    cut = judges.make("adjudicated:2,by=solver", GAME)
    # X a1, O b1 or the like: X has a win, the solver says, or at least a draw.
    truth = contract.verdicts(solver, _after(2))
    assert _play(cut)[0, 0].tolist() == [0.5 + 0.5 * truth[0], 0.5 - 0.5 * truth[0]]


def _after(plies: int) -> State:
    state = GAME.init()
    for _ in range(plies):
        state = GAME.step(state, jnp.argmax(GAME.legal(state)).astype(jnp.int32))
    return jax.tree.map(lambda x: np.asarray(x)[None], state)


class Constant(ParametricJudge):
    """Says what its weight is; counts how often it is traced."""

    traced = 0

    def weights_for(self, moment: TrainingMoment) -> Params:
        return moment.current

    def verdict_by(self, params: Params, finals: State) -> jax.Array:
        Constant.traced += 1
        return jnp.full(len(jax.tree.leaves(finals)[0]), params)


def test_new_weights_of_a_judge_compile_nothing():
    judge = Constant()
    first = _play(judge, np.float32(1))
    before = Constant.traced
    assert before > 0
    assert (_play(judge, np.float32(0.5))[..., 0] == 0.75).all()
    assert (first[..., 0] == 1).all()
    assert Constant.traced == before
    with pytest.raises(RuntimeError, match="no weights are bound"):
        judge_weights.current(judge)


def test_the_value_head_judges_from_both_sides(finals: State):
    judge = judges.make("self:lag=2", GAME, LEARNER)
    params = LEARNER.make(GAME, Rules(GAME)).init(jax.random.key(0)).params
    few = jax.tree.map(lambda x: x[:16], finals)
    found = contract.verdicts(judge, few, params)
    assert (np.abs(found) <= 1).all()
    assert isinstance(judge, ParametricJudge)
    moments = [TrainingMoment(g, "now", lambda n: n, lambda make: make()) for g in (1, 3, 4)]
    assert [judge.weights_for(moment) for moment in moments] == [0, 0, 1]


def test_faults_do_not_outlive_their_report(program: Path):
    judge = judges.make("program:./mine.py:nan", GAME)
    for _ in range(2):
        with pytest.raises(UserError, match="NaN"):
            contract.verdicts(judge, contract.finals(GAME, jax.random.key(0)))
    judge.check()


class Slow(HostedJudge):
    """Answers when it has been told of twice."""

    told = threading.Semaphore(0)

    def judge_on_host(self, given: State) -> np.ndarray:
        for _ in range(2):
            assert self.told.acquire(timeout=60)
        return np.zeros(len(given[0]), np.float32)


def test_a_person_sees_which_judge_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    say = hosted._say
    monkeypatch.setattr(hosted, "_PATIENCE", 0.01)
    monkeypatch.setattr(hosted, "_say", lambda text: (say(text), Slow.told.release()))
    contract.verdicts(Slow(), _after(2))
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == [
        f"waiting for the judge slow: 1 position, {wait} s so far" for wait in (0.01, 0.02)
    ]


def test_a_judge_that_cuts_games_is_seen_on_games_that_are_cut(program: Path):
    """Only where they go on does this one give NaN."""
    (program.parent / "cut.py").write_text(
        "import numpy as np\n"
        "def judge(states, seen):\n"
        "    cells = np.asarray(seen).reshape(len(seen), 9, -1)\n"
        "    return np.where(cells[:, :, :2].sum((1, 2)) == 2, np.nan, 0)\n"
    )
    judges.check("program:cut.py", GAME)
    with pytest.raises(UserError, match="NaN"):
        judges.check("adjudicated:2,by=program:cut.py", GAME)
