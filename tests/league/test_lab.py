"""The frame of the laboratory: what an experiment's file becomes, and what a kill leaves."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from arena.errors import UserError
from league.cli.entry import main
from league.lab import names, runner, store
from league.lab.estimates import at_least, near, of_share, of_slope, over_seeds, shown
from tests.helpers.command import strict_json

MINE = '''"""Numbers grow.

Method:
  Count, and `add`.

Expected:
  More <b>than</b> before.

Refuted by:
  Less.
"""

import pathlib
from dataclasses import dataclass
from functools import partial

from league.lab import (
    Chapter, Chart, Experiment, Figure, Part, Settings, Source, Table,
    at_least, line, mean_line, near, over_seeds,
)


@dataclass(frozen=True)
class Sizes(Settings):
    step: int = 1


class Mine(Experiment[Sizes]):
    title, chapter, minutes = "Growth", Chapter.RULES, 0.1
    full, quick = Sizes(seeds=3), Sizes(seeds=2, step=2)

    def parts(self, settings):
        return [Part("grow", partial(grow, settings.step), n) for n in range(settings.seeds)]

    def figures(self, settings, results):
        return [
            Figure("growth", at_least(0), over_seeds(results["grow"]), Source.THEOREM),
            Figure("too much", near(99, 1), over_seeds(results["grow"]), Source.PROPOSED),
        ]

    def charts(self, settings, results):
        known = line("known", [0, 1], [1, 2], expected=True)
        return [Chart("Growth", "x", "y", (known, mean_line("seen", [0, 1], [[1, 2], [1, 3]])))]

    def tables(self, settings, results):
        return [Table("Rows", ("a", "b"), (("1", "2"),))]


def grow(step, work):
    with open(LOG, "a") as log:
        log.write(f"{work.seed} ")
    work.tell(0.5)
    return step + work.seed


LOG = pathlib.Path(__file__).with_name("log")
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "growth.py"
    path.write_text(MINE)
    return path


def done(path: Path) -> list[str]:
    """The seeds of the parts that were done, in order."""
    return (path.with_name("log")).read_text().split()


def test_an_experiment_of_ones_own_is_run_and_shown(mine, capsys):
    with pytest.raises(SystemExit) as stop:  # a figure that fails is a result
        main(["lab", f"{mine}:Mine", "nothing"])
    assert stop.value.code == 2
    main(["lab", f"{mine}:Mine"])
    told = capsys.readouterr()
    assert re.search(r"growth +≥ 0 +2 ", told.out)
    assert "FAIL" in told.out
    assert "1 of 2 as expected" in told.err
    folder = Path("runs/lab/growth")
    result = json.loads((folder / "result.json").read_text())
    assert [figure["passed"] for figure in result["figures"]] == [True, False]
    assert result["figures"][0]["seeds"] == [1, 2, 3]
    assert json.loads((folder / "card.json").read_text())["settings"] == {"seeds": 3, "step": 1}
    page = (folder / "index.html").read_text()
    assert 'class="failed"' in page
    assert "&lt;b&gt;than" in page  # what somebody wrote is no markup
    assert "<code>add</code>" in page
    assert len(re.findall("<svg", page)) == 1
    assert "http" not in page.replace("http-equiv", "")


def test_what_is_done_is_not_done_again_nor_mixed(mine, capsys):
    spec = f"{mine}:Mine"
    main(["lab", spec, "--json"])
    first = strict_json(capsys.readouterr().out)
    main(["lab", spec, "--seeds", "4", "--json"])
    assert done(mine) == ["0", "1", "2", "3"]
    assert strict_json(capsys.readouterr().out)["figures"][0]["seeds"] == [1, 2, 3, 4]
    main(["lab", spec, "--quick"])
    assert done(mine) == ["0", "1", "2", "3", "0", "1"]
    assert first["passed"] == 1
    assert (store.last_result("growth") or {})["quick"] is False


def test_other_code_begins_anew_and_other_words_do_not(mine, tmp_path):
    main(["lab", f"{mine}:Mine", "--quick"])
    other = tmp_path / "other" / "growth.py"
    other.parent.mkdir()
    other.write_text(MINE.replace("Numbers", "# Numbers").replace("at_least(0)", "at_least(1)"))
    main(["lab", f"{other}:Mine", "--quick"])
    assert not (tmp_path / "other" / "log").exists()
    third = tmp_path / "third" / "growth.py"
    third.parent.mkdir()
    third.write_text(MINE.replace("step + work.seed", "step - work.seed"))
    main(["lab", f"{third}:Mine", "--quick"])
    assert done(third) == ["0", "1"]


def test_a_kill_loses_one_part(mine):
    experiment = names.find(f"{mine}:Mine")

    def killed(part, number, total, share):
        if (number, share) == (1, 0.5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(experiment, callback=killed)
    assert done(mine) == ["0", "1"]
    assert not Path("runs/lab/growth/result.json").exists()
    whole = runner.run(experiment)
    assert done(mine) == ["0", "1", "1", "2"]
    again = runner.run(experiment, folder=Path("elsewhere"))
    assert whole["figures"] == again["figures"]
    assert not list(Path("runs/lab/growth/work").rglob("*@*"))


def test_the_list_says_how_the_last_run_ended(mine, capsys):
    main(["lab", "--json"])
    listed = strict_json(capsys.readouterr().out)["experiments"]
    assert {"name", "claim", "minutes", "passed"} <= listed[0].keys()
    assert {one["name"] for one in listed} == set(names.own())
    main(["lab"])
    told = capsys.readouterr().out
    assert "What a league adds\n  " in told
    assert "min, not run here yet\n    Self-play" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no_such"], "there is no experiment 'no_such'; there are: "),
        (["--quick"], "which experiment?"),
        (["--all", "forgetting"], "either names or --all"),
        (["forgetting", "--seeds", "0"], "seeds must lie between 1 and 1000"),
        (["./bare.py:Bare"], "does not define figures, parts"),
        (["./growth.py:Sizes"], "is no experiment"),
        (["./wordless.py:Mine"], "does not say a section 'Method'"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(mine, capsys, arguments, told):
    Path("bare.py").write_text(
        "from league.lab import Experiment\nclass Bare(Experiment):\n  title = 'x'\n"
    )
    Path("wordless.py").write_text(MINE.replace("Method:", "Methods:"))
    with pytest.raises(SystemExit) as stop:
        main(["lab", *arguments])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_intervals_and_what_they_accept():
    # Student's t with 2 degrees of freedom: 4.3027 standard errors of sqrt(1/3).
    found = over_seeds([1, 2, 3])
    assert (found.value, found.high) == pytest.approx((2, 2 + 4.302653 * 3**-0.5))
    assert near(2, 0).holds(found)
    assert not near(2, 0, "every").holds(found)
    assert not at_least(0, "interval").holds(found)
    assert at_least(1, "every").holds(found)
    assert not at_least(0).holds(over_seeds([float("nan")]))
    # Wilson's interval of 8 in 10: 0.490 to 0.943 (R, binom.confint).
    share = of_share(8, 10)
    assert (share.low, share.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    # scipy.stats.linregress and Student's t with 1 degree of freedom.
    slope = of_slope(np.array([0.0, 1, 2]), np.array([0.0, 1, 1]))
    assert (slope.value, slope.high) == pytest.approx((0.5, 0.5 + 3.667965))
    assert [shown(x) for x in (-0.0, 2.0, -0.12345, 1e-5)] == ["0", "2", "−0.1235", "1e−05"]


def test_every_experiment_that_comes_with_arena_is_written_as_it_has_to_be():
    for experiment in names.every():
        assert experiment.minutes <= 15
        keys = [part.key for part in experiment.parts(experiment.full)]
        assert len(set(keys)) == len(keys)
    with pytest.raises(UserError):
        names.find("no_such")
