# Every job of the project, by name. `make` alone lists them.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin

# Many tests start the program anew. Where Python is told to keep nothing of what it has
# compiled, each start compiles all of it: half a second more.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help

help: ## list the jobs
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.shop ## a throw-away shop with a sample book, at http://127.0.0.1:8000
	$(BIN)/handsel demo --port $(PORT)

test: $(VENV)/.dev $(VENV)/.browser ## every test, on SQLite and PostgreSQL, with a real browser
	$(BIN)/pytest

check: $(VENV)/.dev ## style, types, direction of imports, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs.py --check

fix: $(VENV)/.dev ## format, sort imports, refresh the generated parts of the docs
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/python tools/docs.py

faults: $(VENV)/.dev $(VENV)/.browser ## the fault cases at full length (about 30 minutes)
	$(BIN)/pytest tests/faults -m "storm or not storm" -n 0 --timeout 1800

bench: $(VENV)/.dev ## measure, explain, and say which goals are met
	$(BIN)/python -m benchmarks

clean: ## forget the environment, the demo shop and the browser
	rm -rf $(VENV) .demo .browser

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Handsel needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.shop: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.shop

$(VENV)/.browser: tools/browser.py $(VENV)/.dev
	$(BIN)/python tools/browser.py
	@touch $@

.PHONY: help demo test check fix faults bench clean
