"""Judges that are networks: learnt from comparisons, and from what people say."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import judges
from agents.judges import preference
from agents.judges.human import HumanJudge
from agents.judges.learned import LearnedJudge
from agents.judges.questions import Questionnaire
from agents.judges.verdicts import HumanVerdict, Question, VerdictFile, replay
from agents.nn.networks import MLPConfig
from arena.errors import UserError
from arena.judges import check as contract
from arena.judges.rules import Rules
from arena.play.openings import recorded_openings
from arena.types import State, TrainingMoment
from league.store import learned_judges
from league.training import comparisons

GAME = games.load("tic_tac_toe")
NETWORK = MLPConfig(width=32, layers=1)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judge that has learnt from 512 games of random moves."""
    data = comparisons.collect(GAME, Rules(GAME), 512, key=jax.random.key(0))
    pairs = preference.of_positions(data.states, data.label)
    params = preference.fit(GAME, NETWORK, pairs, key=jax.random.key(1), ensemble=2)
    path = tmp_path_factory.mktemp("judge") / "judge.npz"
    learned_judges.write(path, params, game="tic_tac_toe", rules=GAME, network=NETWORK)
    return path


def test_a_judge_learns_from_comparisons_who_has_won(learnt: Path):
    judge = judges.check(f"learned:{learnt}", GAME)
    assert isinstance(judge, LearnedJudge)
    assert judge.evaluations == 4
    finals = contract.finals(GAME, jax.random.key(5), 512)
    truth = contract.verdicts(Rules(GAME), finals)
    said = contract.verdicts(judge, finals)
    assert preference.agreement(said, truth) > 0.85  # a coin: 0.5
    wary = contract.verdicts(judges.make(f"learned:{learnt},pessimism=1", GAME), finals)
    assert (np.abs(wary) <= np.abs(said) + 1e-6).all()
    assert (np.abs(wary) < np.abs(said) - 1e-3).any()


def test_a_file_that_is_no_judge_of_the_game_is_refused(learnt: Path, tmp_path: Path):
    with pytest.raises(UserError, match="judges tic_tac_toe, not this game"):
        judges.make(f"learned:{learnt}", games.load("connect_four"))
    with pytest.raises(UserError, match="there is no judge"):
        judges.make("learned:nowhere.npz", GAME)
    cut = tmp_path / "cut.npz"
    cut.write_bytes(learnt.read_bytes()[:-200])
    with pytest.raises(UserError, match="is not a judge that can be read"):
        judges.make(f"learned:{cut}", GAME)


def centre(states: State) -> np.ndarray:
    """A hidden rule f32[N]: whoever holds the centre stands better."""
    seen = np.asarray(jax.vmap(GAME.observe, (0, None))(states, jnp.int32(0)))
    cells = seen.reshape(len(seen), 9, -1)
    return cells[:, 4, 0] - cells[:, 4, 1]


def test_a_person_with_a_hidden_rule_is_imitated(tmp_path: Path):
    """90 % on held-out positions after at most 500 verdicts; here, after 120."""
    file = VerdictFile(tmp_path / "verdicts.jsonl", GAME)
    judge = HumanJudge(file)
    asking = Questionnaire(judge)
    for _ in range(120):
        asking.learn()
        question = asking.next_question()
        said = int(centre(replay(GAME, [question.moves]))[0])
        asking.answer(question, said, who="ann", seconds=0.5)
    kept = file.read()
    assert len({one.question for one in kept}) == len(kept) == asking.count == 120
    assert VerdictFile.contradictions(kept) == 0
    params = judge.fit(kept)
    held_out = recorded_openings(GAME, jax.random.key(9), count=300, plies=7, room=300).states
    said = preference.ask(GAME, judge.network, params, held_out).mean(0)
    assert preference.agreement(said, centre(held_out)) >= 0.9
    # In a run, a generation that is done over is judged by the same model, whatever was added.
    moment = TrainingMoment(1, (), lambda number: (), lambda make: "kept")
    assert judge.weights_for(moment) == "kept"
    assert judges.make(f"human:{file.path}", GAME).human_verdicts() == 120


def _verdict(*moves: int, said: int = 1) -> HumanVerdict:
    return HumanVerdict(Question(moves), said, "ann", 0.0, 1.0)


def test_a_file_of_verdicts_that_was_cut_loses_one_line_at_most(tmp_path: Path):
    file = VerdictFile(tmp_path / "verdicts.jsonl", GAME)
    assert file.read() == []
    written = [_verdict(4), _verdict(0, 4, said=-1), _verdict(4, said=-1)]
    for one in written:
        file.add(one)
    assert file.read() == written
    assert VerdictFile.contradictions(written) == 1
    text = file.path.read_bytes()
    file.path.write_bytes(text[:-9])
    assert file.read() == written[:2]
    file.add(written[2])
    assert file.read() == written


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("arena-verdicts-1", "x"), "is not a file of verdicts"),
        (lambda text: text.replace("TicTacToe", "Hex"), "not on TicTacToe"),
        (lambda text: text.replace('"verdict": 1', '"verdict": 7'), "line 2, is no verdict"),
        (lambda text: text.replace('"moves": [4]', '"moves": ["x"]'), "line 2, is no verdict"),
        (lambda text: "", "is not a file of verdicts"),
    ],
)
def test_a_file_that_holds_something_else_is_refused_in_one_line(tmp_path: Path, change, says):
    file = VerdictFile(tmp_path / "verdicts.jsonl", GAME)
    file.add(_verdict(4))
    file.path.write_text(change(file.path.read_text()))
    with pytest.raises(UserError, match=says) as refusal:
        file.read()
    assert "\n" not in str(refusal.value)


def test_a_question_with_an_illegal_move_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="is not legal"):
        replay(GAME, [(4, 4)])
    with pytest.raises(UserError, match="holds no verdicts yet"):
        judges.make(f"human:{tmp_path / 'none.jsonl'}", GAME)
