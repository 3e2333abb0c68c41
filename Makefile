# make demo: set up, train for a few minutes, show the gait before and after.   make test: set up, run every test.
# make fast: tests without simulator and browser, in under a minute.   make oldest: the library's tests with the oldest RSL-RL.
# make lint: ruff and pyright.   make format: fix what ruff can.   make docs: the site in docs/_build.

VENV := .venv
PYTHON := $(VENV)/bin/python
SETUP := $(VENV)/.set-up
FAST := not sim and not browser and not slow

.PHONY: help demo test fast oldest lint format docs setup clean
.DEFAULT_GOAL := help

help:
	@head -3 Makefile | cut -c3-

setup: $(SETUP)

$(SETUP): pyproject.toml requirements.txt scripts/setup.sh
	bash scripts/setup.sh $(VENV)
	@touch $@

demo: $(SETUP)
	$(PYTHON) scripts/demo.py

# A page that is drawn in software needs both cores, so the pages are tested last and alone.
test: $(SETUP)
	$(PYTHON) -m pytest -m "not browser"
	$(PYTHON) -m pytest -n 0 -m browser

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
	rm -rf $(VENV) docs/_build docs/_generated
