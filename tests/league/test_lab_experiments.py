"""Every experiment runs in its quick size, to figures and a page."""

import pytest

from league.lab import names, runner, store

FIRST = (
    "over_optimisation",
    "planted_flaw",
    "self_judging",
    "two_kinds_of_feedback",
)
"""Those that the default tests run; `adversary` and `d_and_d_star` compile for half a minute."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in FIRST else pytest.mark.slow) for n in names.own()],
)
def test_it_runs_in_its_quick_size(name, tmp_path):
    experiment = names.find(name)
    result = runner.run(experiment, quick=True, folder=tmp_path)
    assert result["figures"]
    # Sizes for tests prove nothing; but what nobody measured cannot be as expected.
    assert all(figure["value"] is not None or not figure["passed"] for figure in result["figures"])
    assert (store.place(name, quick=True, folder=tmp_path) / store.PAGE).exists()
