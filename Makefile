# Two commands do everything: `make run` and `make test`. Both start from a machine that has only
# Python 3.11 or newer, git and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# The machine's own certificates where it has some: a company's network may have an authority of its own.
CERTS  := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),UV_SYSTEM_CERTS=1)
# uv fills .venv. It comes into .uv for the time of one recipe and goes with it, so that .venv holds only what runs.
GET_UV  = set -e; rm -rf .uv; trap 'rm -rf .uv' EXIT INT TERM; $(PYTHON) -m venv .uv || { \
  echo "This Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
  .uv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
UV     := $(CERTS) VIRTUAL_ENV=$(VENV) UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy .uv/bin/uv --quiet
SYNC   := $(UV) pip install --no-deps --require-hashes
COMPILE := $(UV) pip compile --universal --generate-hashes --no-header --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help run test install check lock bench previews chaos clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

run: $(VENV)/.installed  ## the whole product on http://127.0.0.1:8080 (PORT changes it), with a sample company
	@exec $(BIN)/stagecoach demo

test: $(VENV)/.installed-dev  ## every check and every test
	@$(BIN)/python -m tests.setup_browser
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.installed-dev  ## style, types and the directions of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

install: $(VENV)/.installed  ## only the set-up

bench: $(VENV)/.installed-dev  ## the benchmarks: a table of ratios
	@$(BIN)/python -m benchmarks

previews: $(VENV)/.installed-dev  ## every message that Slack gets, drawn as pictures in var/previews
	@$(BIN)/python -m benchmarks.previews_slack

chaos: $(VENV)/.installed-dev  ## the long fault tables
	@$(BIN)/python -m benchmarks.chaos

lock:  ## compile the lock files anew from pyproject.toml
	@$(GET_UV); \
	$(COMPILE) --group build pyproject.toml -o requirements.lock; \
	$(COMPILE) --group build --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock; \
	$(COMPILE) --no-deps requirements-model.in -o requirements-model.lock; \
	$(COMPILE) requirements-uv.in -o requirements-uv.lock

clean:  ## remove what the set-up made; data in var/ stays
	rm -rf $(VENV) .uv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Stagecoach needs Python 3.11 or newer. Install it, or name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.installed: requirements.lock requirements-model.lock pyproject.toml | $(BIN)/python
	@echo "Installing Stagecoach into $(VENV) ..." >&2
	@$(GET_UV); \
	$(SYNC) -r requirements.lock -r requirements-model.lock; \
	$(UV) pip install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@echo "Installing the test tools into $(VENV) ..." >&2
	@$(GET_UV); \
	$(SYNC) -r requirements-dev.lock
	@touch $@
