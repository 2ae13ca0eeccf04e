"""`arena gate` on a run: who may judge, what is kept, and what a champion's name means."""

import sqlite3
from contextlib import closing
from pathlib import Path

import jax
import pytest

from arena.errors import UserError
from arena.evaluation import move_accuracy
from arena.types import Agent
from league.cli import names
from league.cli.entry import main
from league.gate import heldout
from league.gate.accuracy import unseen
from league.gate.store import Lineage
from league.store.checkpoints import digest
from league.store.run import Run
from tests.helpers.command import strict_json

# Hypotheses so low that whoever does not lose nearly everything is promoted.
QUICK = "--simulations 0 --pairs 8 --most 16 --veto 8 --elo0 -400 --elo1 -300 --against uniform"


def gate(capsys: pytest.CaptureFixture[str], line: str) -> list[dict]:
    main(["gate", *line.split(), "--json"])
    return [strict_json(one) for one in capsys.readouterr().out.splitlines()]


def played(run: Path) -> list[tuple]:
    """All games of gates."""
    query = "SELECT * FROM trials JOIN pairs USING (match) ORDER BY 1, 2, 3, 4, 5"
    with closing(sqlite3.connect(run / "league.db")) as connection:
        return connection.execute(query).fetchall()


def test_a_champion_is_made_and_has_a_name(tiny, here, capsys):
    run = here.adopt(tiny, "a")
    with pytest.raises(UserError, match="run 'a' has no champion yet: arena gate a"):
        names.snapshot("a:champion")
    *trials, verdict = gate(capsys, f"a --best-of 2 {QUICK}")
    assert [one["event"] for one in trials][:3] == ["select", "select", "test"]
    assert verdict["verdict"] == "promoted", verdict
    assert verdict["champion"] == "0"
    assert {one["agent"] for one in verdict["selection"]} == {"3", "2"}
    assert verdict["candidate"] in ("3", "2")
    chosen = max(one["score"] for one in verdict["selection"])
    assert verdict["inflation"] == pytest.approx(chosen - verdict["fresh"]["score"])
    assert names.snapshot("a:champion")[1] == verdict["candidate"]
    assert names.snapshot("a:champion,simulations=4")[2] == 4

    # Asked again, the gate looks for somebody newer, and does not find one if 3 reigns.
    before = played(run)
    main(["report", "a"])
    assert f"{verdict['candidate']} beats 0 and loses to nobody" in (
        (run / "report.html").read_text()
    )
    assert played(run) == before


def test_the_same_question_is_answered_from_the_record(tiny, here, capsys):
    run = here.adopt(tiny, "a")
    strict = QUICK.replace("-400", "400").replace("-300", "500")
    first = gate(capsys, f"a:3 {strict}")[-1]
    assert first["verdict"] == "refused"
    before = played(run)
    assert gate(capsys, f"a:3 {strict}") == [first]  # no trial is told, none is played
    assert played(run) == before
    with pytest.raises(UserError, match="has no champion yet"):
        names.snapshot("a:champion")
    # One that was refused is not chosen again.
    told = gate(capsys, f"a --best-of 1 {strict}")
    assert told[-1]["candidate"] == "2"
    # Forward passes: what training spent is unchanged, and the gate's games are counted.
    passes = [one["passes"] for one in (first, told[-1])]
    assert passes[0]["type_1"] == passes[1]["type_1"] > 0
    assert passes[0]["type_2"] < passes[1]["type_2"]


GUEST = """
def policy(observation, mask):
    return int(mask.argmax())
"""


def test_guests_and_exact_values_may_veto(tiny, here, capsys):
    run = here.adopt(tiny, "a")
    (here.folder / "mine.py").write_text(GUEST)
    judges = ("policy:./mine.py", "mcts:4")
    *trials, verdict = gate(capsys, f"a:3 {QUICK} {' '.join(judges)}")
    assert [one["agent"] for one in verdict["vetoes"]] == ["uniform", *judges]
    exam = verdict["exam"]
    assert trials[-1] == {"event": "exam", "a": "3", "b": "0", **exam}
    with closing(Run(run)) as work:
        positions = unseen(work, heldout.trained(work, 3))
        assert positions is not None
        # Of the 4,520 in which a seat is to move; training began from the others.
        assert exam["positions"] == len(positions.keeps) < 4520
        for name, agent in (("candidate", 3), ("champion", 0)):
            one = Agent(name, work.eval_policy(0), work.weights(agent))
            right = move_accuracy.kept(one, positions, jax.random.key(0))
            assert exam[name] == right.sum()  # a network's favourite move; nothing is drawn
    assert exam["passes"] == 2 * exam["positions"]  # a network's move costs one evaluation
    with closing(sqlite3.connect(run / "league.db")) as connection:
        (games,) = connection.execute("SELECT sum(passes) FROM trials").fetchone()
    with Run(run).results() as results:
        assert Lineage(results).passes() == games + exam["passes"]
    main(["report", "a"])
    row = f"{exam['candidate']} : {exam['champion']} of {exam['positions']}"
    assert row in (run / "report.html").read_text()
    capsys.readouterr()


def test_the_ledger_counts_every_move_of_training(tiny):
    run = Run(tiny)
    with run.results() as results:
        first, *events = results.events()
    run.close()
    assert first["passes"]["type_1"] == 0  # generation 0 has not trained
    assert first["passes"]["type_2"] > 0
    for event in events:
        # Four simulations and the root; what opponents of the pool moved was not trained on.
        moves, rest = divmod(event["passes"]["type_1"], 5)
        assert rest == 0
        assert event["positions"] < moves < 2 * event["positions"]
        assert event["passes"]["type_2"] > 0
        assert isinstance(event["alarms"], list)


def test_no_game_of_a_gate_starts_where_training_has_started(tiny, here):
    run = Run(here.adopt(tiny, "a"))
    seen = heldout.trained(run, 3)
    assert len(seen) > 10
    with run.results() as results:
        assert max(results.digests()) == 3
    openings = heldout.Openings(run.game, seen, run.key(1, "gate: test"), 8)
    taken = openings.take(0, 40)
    assert len(taken.moves) == 40
    assert not seen & set(heldout.keys(run.game, taken.states))
    run.close()


def test_who_took_part_in_training_may_not_judge(tiny, here, capsys):
    here.adopt(tiny, "a")
    here.adopt(tiny, "twin")  # another run of the same seed: the same weights under another name
    for known in ("a:1", "twin:1"):
        with pytest.raises(SystemExit) as stop:
            main(["gate", "a", "--against", known])
        out, err = capsys.readouterr()
        assert (stop.value.code, out) == (2, "")
        assert err == (
            f"arena: {known} is snapshot 1 of the pool: "
            "only who never took part in training may judge\n"
        )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("gate", "gate: "),
        ("gate none", "there is no run 'none'"),
        ("gate a --best-of 0", "best-of must be positive"),
        ("gate a --pairs 0", "pairs must be positive"),
        ("gate a --elo0 9 --elo1 1", "elo0 must be less than elo1"),
        ("gate a --simulations -1", "simulations must not be negative"),
        ("gate a:9", "run 'a' has no snapshot '9'; it has 0 to 3"),
        ("gate a:x", "run 'a' has no snapshot 'x'"),
        ("gate a:0", "snapshot 0 of run 'a' is its champion already"),
        ("gate a --against nobody:3", "there is no run 'nobody'"),
        ("match a:champion uniform", "run 'a' has no champion yet: arena gate a"),
    ],
)
def test_wrong_input_is_one_line(tiny, here, capsys, line, says):
    here.adopt(tiny, "a")
    with pytest.raises(SystemExit) as stop:
        main(line.split())
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert err.startswith("arena: ")
    assert err.count("\n") == 1
    assert says in err


def test_without_openings_left_nothing_is_decided(tiny, here, capsys):
    here.adopt(tiny, "a")
    with pytest.raises(SystemExit) as stop:
        main(["gate", "a", *QUICK.split(), "--opening-plies", "0"])  # the start, which was seen
    assert stop.value.code == 2
    assert "no opening is held out: training has begun from all of them" in capsys.readouterr().err


def test_training_is_the_same_whether_or_not_there_was_a_gate(tiny, here, capsys):
    folder = here.adopt(tiny, "a")
    gate(capsys, f"a:3 {QUICK}")
    run = Run(folder)
    with run.results() as results, Run(tiny).results() as undisturbed:
        for roles in (("train", "measure"), ("measure", "rate")):
            assert results.tallies(*roles) == undisturbed.tallies(*roles)
        assert results.events() == undisturbed.events()
    assert digest(run.weights(3)) == digest(Run(tiny).weights(3))
    run.close()
