# Every target sets up .venv first, if need be; `make PYTHON=python3.12 setup` picks another Python.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup league test slow check docs wheel clean

setup: $(READY)

# Stamped only when pip has finished, so an interrupted set-up is done again.
$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,check,docs]'
	touch $@

league: $(READY)
	$(BIN)/arena train connect_four

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile  # a file's tests share what they compile

slow: $(READY)
	$(BIN)/python -m pytest -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# The site, in site/; `.venv/bin/python -m mkdocs serve` shows it while it is written.
docs: $(READY)
	JAX_PLATFORMS=cpu $(BIN)/python -m mkdocs build --strict

# The wheel in an empty environment, started from another folder.
wheel: $(READY)
	.ci/wheel $(BIN)/python

clean:
	rm -rf .venv build site *.egg-info
