"""The learner of docs/adding-a-learner.md, one file outside the repository, learns."""

from pathlib import Path

import pytest

from league.cli.entry import main
from league.commands import train as command
from tests.docs.pages import DOCS, blocks, commands
from tests.helpers.command import Place, strict_json

PAGE = DOCS / "adding-a-learner.md"
SMALL = """
    --generations 2 --matches 2 --pairs 128 --slots 64 --measure.opponents 1 --measure.pairs 4
    --measure.baseline-pairs 16 --measure.simulations 2 --measure.rollouts 2
"""


@pytest.fixture(autouse=True)
def file(here: Place):
    """The page's file where it says it lies."""
    (code,) = blocks(PAGE, "python")
    Path("winners.py").write_text(code)


@pytest.mark.slow
def test_it_trains_resumes_and_beats_random_moves(here: Place, capsys: pytest.CaptureFixture[str]):
    train, _, match = commands(PAGE)
    main([*train, *SMALL.split(), "--json"])
    assert '"draws": 0.2' in (here.run("winners") / "run.json").read_text()
    game, name = train[1], train[-1]
    main(["train", game, "--name", name, "--resume", "--generations", "3", "--json"])
    capsys.readouterr()
    main([*match, "--json"])
    assert strict_json(capsys.readouterr().out)["score"] > 0.55


def test_its_option_is_one_of_the_command():
    _, train, _ = commands(PAGE)
    default = command.default(train[1:])
    assert type(default.config.learner).__name__ == "Config"
    assert not hasattr(command.default(["tic_tac_toe"]).config.learner, "draws")
    with pytest.raises(SystemExit) as stop:
        main([*train, "--learner.drawn", "0.5"])
    assert stop.value.code == 2
