# make demo: set up, train for a few minutes, show the learning curves.   make test: set up, run every test.
# make fast: tests without simulator and browser.   make oldest: the library's tests with the oldest RSL-RL.   make lint: ruff.

VENV := .venv
PYTHON := $(VENV)/bin/python
SETUP := $(VENV)/.set-up

.PHONY: help demo test fast oldest lint format setup clean
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
	$(PYTHON) -m pytest -m "not sim and not browser"

oldest: $(SETUP)
	$(VENV)/bin/uv pip install --quiet --python $(PYTHON) --no-deps --target $(VENV)/oldest rsl-rl-lib==5.4.2
	PYTHONPATH=$(VENV)/oldest $(PYTHON) -m pytest tests/amp_runner -m "not sim and not browser"

lint: $(SETUP)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: $(SETUP)
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

clean:
	rm -rf $(VENV)
