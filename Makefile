# Every target works as the first command on a fresh clone; the stamps say what is already installed.
# Another interpreter: make PYTHON=python3.12 test. Arguments for the program under a target: make test ARGS="-k relay".
PYTHON ?= python3
ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip -qq --disable-pip-version-check
RECIPE := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test lint bench gate-proof lock clean

help:  ## print this list
	@sed -n 's/^\([a-z-]*\):.*  ## /make \1	/p' Makefile | expand -t 18

run: $(VENV)/.run  ## install, and start the demo: an upstream, the proxy and a page to try it with
	@$(VENV)/bin/hushwire demo $(ARGS)

test: $(VENV)/.dev  ## install with the tests' tools, and run every test
	@$(PY) -m pytest -n auto --dist worksteal $(ARGS)

lint: $(VENV)/.dev  ## ruff (rules and format) and mypy
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy --no-error-summary

bench: $(VENV)/.bench  ## install the peers too, and measure the cost per message beside them
	@$(PY) -m benchmarks.relay $(ARGS)

gate-proof: $(VENV)/.dev  ## look at 100,000 texts with the gate of detection and without it: no verdict may differ
	@$(PY) -m benchmarks.gate_proof $(ARGS)

lock:  ## write constraints.txt anew: the newest versions that pyproject.toml allows
	@rm -rf build/lock && $(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip -qq --disable-pip-version-check install '.[dev,bench]'
	@{ sed -n '/^#/p' constraints.txt; build/lock/bin/python -m pip freeze --exclude hushwire; } > build/constraints.txt
	@! grep -nE '@|://|^-' build/constraints.txt && mv build/constraints.txt constraints.txt && rm -rf build/lock

clean:  ## remove the virtual environment and everything that was made
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis tests/clients/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written after its install succeeded, never before: a failed install is tried again.
$(VENV)/.run: $(RECIPE) | $(PY)
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(RECIPE) | $(PY)
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.bench: $(RECIPE) | $(PY)
	@$(PIP) install -c constraints.txt -e '.[bench]'
	@touch $@ $(VENV)/.run

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit("Hushwire needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
