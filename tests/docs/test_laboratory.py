"""The laboratory's pages are made from the experiments' words and their results."""

import re

from docs.generate import facts, laboratory
from league.lab.experiment import REQUIRED


def test_every_experiment_has_a_page():
    made = laboratory.pages()
    assert set(laboratory.paths()) == {
        "laboratory/index.md",
        *(path for path in made if path.endswith(".md")),
    }
    for name, one in laboratory.experiments().items():
        text = made[f"laboratory/{name}.md"]
        assert one.claim in text
        assert all(f"## {head}" in text for head in REQUIRED)


def test_the_front_page_tells_of_every_experiment_and_of_no_other():
    text = (facts.ROOT / "docs" / "laboratory" / "index.md").read_text()
    assert set(re.findall(r"\(lab:(\w+)\)", text)) == set(laboratory.experiments())
    found = laboratory.linked(text)
    assert "](lab:" not in found
    assert "(forgetting.md)" in found
    assert laboratory.linked("[a](lab:nothing)") == "a"
    assert "| [`forgetting`](forgetting.md) |" in laboratory.front()["experiments"]
