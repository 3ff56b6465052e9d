# Everything runs in .venv, which is made from the lock files; `make` alone says what there is.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
# On all cores, and without the names of all places with a phone, which nobody asks for: pip compiles everything on one.
# A package may hold examples that are no Python; who needs a file that was not compiled is told so.
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/phonenumbers/(geo|carrier|tz)data/' .venv/lib || true

.PHONY: help install up demo check types rules audit test chaos bench clean
help:
	@echo "make up      run everything here: receiver, workers, Flower, broker, CRM sandbox"
	@echo "make demo    run everything, send three events twice each, show where they went"
	@echo "make test    lint, types, import contracts, then all tests on a real broker and both databases"
	@echo "make check   only lint, types, import contracts, bandit and the audit"
	@echo "make audit   only whether a dependency has a known vulnerability (asks the network)"
	@echo "make chaos   break everything in turn under load and count what was lost or doubled (about six minutes on two cores)"
	@echo "make bench   measure against a hand-written worker and bare Flask (about four minutes)"
	@echo "make install make .venv with .venv/bin/relay; the others do it by themselves"

install: .venv/installed

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; bash .ci/need-venv $(PYTHON) && $(PYTHON) -m venv .venv; }

.venv/installed: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@$(COMPILE)
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	$(PIP) --require-hashes -r requirements-dev.lock
	@$(COMPILE)
	@touch $@

# exec: Ctrl-C and signals reach relay itself, which stops its children, and no shell in between.
up: install
	@exec $(BIN)/relay up --env-file demo.env

demo: install
	@exec $(BIN)/relay demo --env-file demo.env

# Two at a time: the types take as long as all the others together.
check: .venv/installed-dev
	@$(MAKE) --no-print-directory -j2 types rules

types: .venv/installed-dev
	$(BIN)/mypy

rules: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive relay webhooks worker mappings sandbox bench
	@$(MAKE) --no-print-directory audit

# Fails on a known vulnerability. Without network it says that nobody was asked, and does not fail.
audit: .venv/installed-dev
	@$(BIN)/python .ci/audit.py $(BIN)/pip-audit requirements.lock requirements-dev.lock

# First what measures time, alone; then what starts, kills and waits for processes, four at a time since it mostly
# waits; then all the rest on every core, up to eight: each has a PostgreSQL and a broker of its own.
# Compiled once and not again by each of some hundred processes, where the environment says not to keep it.
test: export PYTHONDONTWRITEBYTECODE =
test: check
	$(BIN)/pytest tests/e2e/test_stopping.py
	$(BIN)/pytest -n 4 --maxschedchunk 1 tests/e2e --ignore tests/e2e/test_stopping.py
	$(BIN)/pytest -n auto --maxprocesses 8 --dist worksteal --ignore tests/e2e

chaos: .venv/installed-dev
	@exec $(BIN)/python -m chaos

bench: .venv/installed-dev
	$(BIN)/python -m bench

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info
