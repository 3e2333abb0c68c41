# make demo: set up, train for a few minutes, show the learning curves.   make test: set up, run every test.
# make fast: the tests that need no simulator.   make lint: ruff.   make clean: remove the environment.

VENV := .venv
PYTHON := $(VENV)/bin/python
SETUP := $(VENV)/.set-up

.PHONY: demo test fast lint format setup clean
.DEFAULT_GOAL := help

help:
	@head -2 Makefile | cut -c3-

setup: $(SETUP)

$(SETUP): pyproject.toml requirements.txt scripts/setup.sh
	bash scripts/setup.sh $(VENV)
	@touch $@

demo: $(SETUP)
	bash scripts/demo.sh $(VENV)

test: $(SETUP)
	$(PYTHON) -m pytest

fast: $(SETUP)
	$(PYTHON) -m pytest -m "not sim"

lint: $(SETUP)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: $(SETUP)
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

clean:
	rm -rf $(VENV)
