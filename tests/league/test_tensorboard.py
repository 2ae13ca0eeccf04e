"""TensorBoard's files: the figures of the record, each step once, whatever happens in between."""

import importlib.util
import math

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from arena.errors import UserError
from league.cli.entry import main
from league.report import tensorboard
from league.report.tensorboard import TensorBoardLog
from league.store.run import Run
from league.training.events import GenerationEvent, PhaseEvent
from tests.helpers.command import GENERATIONS, TINY


def read(folder) -> dict[str, list[tuple[int, float]]]:
    """Step and value of every scalar, by tag, as TensorBoard itself reads them."""
    reader = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reader.Reload()
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }


@pytest.fixture
def run(place, tiny):
    """A trained run, without a log."""
    found = Run(place.adopt(tiny, "tiny"))
    yield found
    found.close()


def test_files_hold_the_figures_of_the_record(run):
    with run.results() as results:
        with TensorBoardLog(run, results):
            pass
        events, tallies = results.events(), results.tallies("uniform")
    found = read(run.folder / "tensorboard")
    trained = range(1, GENERATIONS + 1)
    assert found["loss/total"] == [
        (g, pytest.approx(events[g]["loss"])) for g in trained
    ]  # f32 in the file
    assert found["loss/value"][-1] == (GENERATIONS, pytest.approx(events[-1]["value_loss"]))
    assert found["passes/training"] == [(g, events[g]["passes"]["type_1"]) for g in (0, *trained)]
    assert [step for step, _ in found["rating/elo"]] == [0, *trained]
    assert found["rating/elo"][0] == (0, 0.0)  # the anchor
    for tag in ("rating/elo", "score/uniform", "score/mcts"):
        lows, highs = found[f"{tag}_low"], found[f"{tag}_high"]
        for (_, low), (_, value), (_, high) in zip(lows, found[tag], highs, strict=True):
            assert low <= value <= high
    scores = {int(t.a): t.points / t.games for t in tallies}
    assert dict(found["score/uniform"]) == pytest.approx(scores)
    assert not any(tag.startswith("exploitability") for tag in found)  # too large a game
    assert all(math.isfinite(value) for line in found.values() for _, value in line)


def test_resuming_repeats_no_step_and_leaves_none_out(run):
    folder = run.folder / "tensorboard"
    with run.results() as results:
        with TensorBoardLog(run, results) as log:
            log(GenerationEvent(GENERATIONS, {}))
            log(PhaseEvent(GENERATIONS + 1, "play"))
        once, files = read(folder), sorted(folder.iterdir())
        with TensorBoardLog(run, results):
            pass
    assert sorted(folder.iterdir()) == files  # nothing was missing
    assert read(folder) == once


def test_a_cut_file_is_taken_up_where_it_ends(run):
    folder = run.folder / "tensorboard"
    with run.results() as results:
        with TensorBoardLog(run, results):
            pass
        whole = read(folder)
        (file,) = folder.iterdir()
        file.write_bytes(file.read_bytes()[:-7])  # a kill in the middle of the last event
        assert tensorboard.last_step(folder) == GENERATIONS - 1
        with TensorBoardLog(run, results):
            pass
    assert read(folder) == whole


def test_a_generation_that_is_half_saved_is_not_written(run):
    run.state.drop_after(GENERATIONS - 1)
    with run.results() as results, TensorBoardLog(run, results):
        pass
    assert tensorboard.last_step(run.folder / "tensorboard") == GENERATIONS - 1


def test_training_writes_as_it_goes(here):
    options = [*TINY, "--generations", "1", "--name", "logged"]
    main([*options, "--log", "tensorboard"])
    folder = here.run("logged") / "tensorboard"
    assert [step for step, _ in read(folder)["loss/total"]] == [1]
    main([*options, "--resume", "--generations", "2", "--log", "tensorboard"])
    assert [step for step, _ in read(folder)["loss/total"]] == [1, 2]


def test_without_the_package_nothing_starts(here, monkeypatch, capsys):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboard" else real(name)
    )
    with pytest.raises(SystemExit) as stop:
        main([*TINY, "--name", "never", "--log", "tensorboard"])
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "arena-selfplay[tensorboard]" in err
    assert not here.run("never").exists()
    with pytest.raises(UserError, match="tensorboard"):
        tensorboard.check()
