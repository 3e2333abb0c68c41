# make demo: set up, train for a few minutes, show the gait before and after.   make test: set up, run every test.
# make fast: tests without simulator and browser, in under a minute.   make oldest: the library's tests with the oldest RSL-RL.
# make lint: ruff and pyright.   make format: fix what ruff can.   make docs: the site in docs/_build.
# make setup-mjlab: mjlab's own environment, .venv-mjlab.   make test-mjlab: types and tests of what runs in it.

VENV := .venv
PYTHON := $(VENV)/bin/python
SETUP := $(VENV)/.set-up
MJLAB := .venv-mjlab
FAST := not sim and not browser and not slow

.PHONY: help demo test test-mjlab fast oldest lint format docs setup setup-mjlab clean
.DEFAULT_GOAL := help

help:
	@head -4 Makefile | cut -c3-

setup: $(SETUP)

$(SETUP): pyproject.toml requirements.txt scripts/setup.sh
	bash scripts/setup.sh $(VENV)
	@touch $@

# mjlab pins other versions of RSL-RL and MuJoCo than Isaac Lab, so it has an environment of its own.
setup-mjlab: $(MJLAB)/.set-up

$(MJLAB)/.set-up: pyproject.toml requirements-mjlab.txt scripts/setup.sh
	bash scripts/setup.sh $(MJLAB) requirements-mjlab.txt
	@touch $@

demo: $(SETUP)
	$(PYTHON) scripts/demo.py

# A page that is drawn in software needs both cores, so the pages are tested last and alone.
test: $(SETUP)
	$(PYTHON) -m pytest -m "not browser"
	$(PYTHON) -m pytest -n 0 -m browser

test-mjlab: $(SETUP) $(MJLAB)/.set-up
	$(PYTHON) -m pyright --project scripts/pyright-mjlab.json --pythonpath $(MJLAB)/bin/python
	$(MJLAB)/bin/python -m pytest -n 0 tests/mjlab

fast: $(SETUP)
	$(PYTHON) -m pytest -m "$(FAST)"

oldest: $(SETUP)
	$(VENV)/bin/uv pip install --quiet --python $(PYTHON) --no-deps --target $(VENV)/oldest rsl-rl-lib==5.4.2
	PYTHONPATH=$(VENV)/oldest $(PYTHON) -m pytest -m "$(FAST)" tests/amp_runner/learning

lint: $(SETUP)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m pyright --project . --pythonpath $(PYTHON)

format: $(SETUP)
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

docs: $(SETUP)
	$(PYTHON) -m sphinx -W --keep-going -q -b html docs docs/_build

clean:
	rm -rf $(VENV) $(MJLAB) docs/_build docs/_generated
