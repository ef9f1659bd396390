# Two commands are all a newcomer needs: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help run test lint bench chaos archive addon clean

help: ## Show these lines
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/.local ## Set up what is missing and start everything on this machine
	@$(BIN)/leadline run

test: $(VENV)/.dev ## Set up what is missing and run every test
	@$(BIN)/python -m tests

lint: $(VENV)/.dev ## Format and lint, types included
	@$(BIN)/ruff format functions tests bench main.py
	@$(BIN)/ruff check --fix functions tests bench main.py
	@$(BIN)/mypy

bench: $(VENV)/.dev ## Print every benchmark's table; takes over an hour
	@$(BIN)/python -m bench

chaos: $(VENV)/.dev ## Let a busy line have its worst day, with a real Odoo; takes half an hour
	@$(BIN)/python -m tests.chaos --events 200000 --people 3000 --busy 48 --kill 1500 --odoo

archive: $(VENV)/.local ## Make build/functions.zip, the source that the cloud builds
	@$(BIN)/leadline archive

addon: $(VENV)/.local ## Make build/leadline.zip, the Odoo module to install
	@$(BIN)/leadline addon

clean: ## Take away what was set up and built here (the data of `make run` stays in .leadline)
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Each mark is made last, so that a set-up that was stopped half-way is done again.
$(VENV)/.local: pyproject.toml constraints.txt
	@echo "Setting up Python packages in $(VENV) (a minute, once) …"
	@$(PYTHON) -c 'import sys; sys.exit("Leadline needs Python 3.11 or newer; set PYTHON=… to one.") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[local]'
	@touch $@

$(VENV)/.dev: $(VENV)/.local
	@echo "Setting up the tools for tests …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
