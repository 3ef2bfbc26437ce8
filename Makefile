# What each command does stands in the README; `make` alone runs the desk.
SHELL := /bin/sh
PYTHON := $(shell for p in python3.11 python3; do if $$p -c '' 2>/dev/null; then echo $$p; break; fi; done)
SETUP := $(PYTHON) scripts/setup.py
DESK := .venv/bin/python
WORKERS ?= 4
export RASA_TELEMETRY_ENABLED := false

.PHONY: run test train eval bench lint format load clean requirements setup setup-lint setup-tests

run: setup
	@exec $(DESK) -m mainsdesk run

setup:
	@$(SETUP)

setup-tests:
	@$(SETUP) tests

test: setup-tests
	@$(DESK) -m mainsdesk.training
	@exec $(DESK) -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

train: setup
	@exec $(DESK) -m mainsdesk.training

eval: train
	@PYTHONPATH=. exec .venv-bot/bin/python scripts/evaluate_nlu.py

bench: setup
	@$(SETUP) bench
	@exec $(DESK) scripts/bench.py

load: setup
	@test -n "$(DIR)" || { echo 'usage: make load DIR=folder'; exit 2; }
	@exec $(DESK) -m mainsdesk load "$(DIR)"

setup-lint:
	@$(SETUP) lint

lint: setup-lint
	@$(DESK) -m ruff check .
	@$(DESK) -m ruff format --check .
	@$(DESK) -m mypy
	@sh scripts/validate.sh

format: setup-lint
	@$(DESK) -m ruff check --fix .
	@$(DESK) -m ruff format .

requirements:
	@$(SETUP) compile

# Everything that the other commands can make again; the state in $MAINSDESK_HOME stays.
clean:
	rm -rf .venv .venv-bot .venv-stock .tools .rasa .mypy_cache .pytest_cache .ruff_cache .hypothesis models/*.tar.gz
