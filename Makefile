# Errata. `make help` lists what can be done; a second call of anything skips the set-up that is already there.
# Any pip option may be passed on, for instance the index of CPU-only builds of torch:
#   make app PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu"
# and any option of app.py:
#   make app APP_FLAGS='--pair small'

PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
VENV ?= .venv
PORT ?= 7860
PIP_FLAGS ?=
APP_FLAGS ?=

PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check $(PIP_FLAGS) --constraint constraints.txt
SHELL := bash
# A line for each package and each large file: pip says four times as much by itself, and nothing for minutes if --quiet.
SHOWN := ^(Collecting [^ ;[]+|(  )?Downloading .*\([0-9.]+ [MG]B\)|Building wheels .*|Installing collected packages)

.DEFAULT_GOAL := help
.PHONY: help setup app test test-gpu lint format clean constraints wheel

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

app: setup  ## Set up what is missing, fetch the pair's model, open the app on http://127.0.0.1:$(PORT)
	@$(PY) app.py $(APP_FLAGS) fetch
	$(PY) app.py --port $(PORT) $(APP_FLAGS)

setup: $(VENV)/.stamp-app  ## Create the virtual environment with all that the app needs

test: lint  ## Check style, types and import arrows, then run every test, two files at a time
	$(PY) -m pytest -n 2 --dist loadfile -m "not signals"
	$(PY) -m pytest -m signals

test-gpu: $(VENV)/.stamp-dev  ## Run the tests that need a GPU, from which `make test` hides what there is
	$(PY) -m pytest tests/gpu

lint: $(VENV)/.stamp-dev  ## Check style, format, types and import arrows
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

format: $(VENV)/.stamp-dev  ## Rewrite the code in the house format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

wheel: $(VENV)/.stamp-dev  ## Build a wheel, and the source distribution that it is made from, into dist/
	$(PY) -m build

constraints: $(VENV)/.stamp-dev  ## Write the versions of this environment to constraints.txt
	$(PY) -m pip freeze --exclude pip --exclude setuptools | sed 's/+cpu$$//' | grep -v ' @ ' > constraints.txt.new
	mv constraints.txt.new constraints.txt

clean:  ## Remove the virtual environment and all caches of tools (models stay in the user's cache)
	rm -rf $(VENV) dist errata.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache .mypy_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Errata needs Python 3.11 or newer; install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(VENV)/.stamp-app: requirements.txt constraints.txt | $(VENV)/bin/python
	@echo "Installing what the app needs into $(VENV): about 2 GB, once. This takes two to five minutes, most of them after"
	@echo "the line 'Installing collected packages', when all is here and is being unpacked."
	@set -o pipefail; PYTHONUNBUFFERED=1 $(PIP) -r requirements.txt | { grep --line-buffered -oE '$(SHOWN)' || true; }
	@touch $@

$(VENV)/.stamp-dev: requirements-dev.txt $(VENV)/.stamp-app
	$(PIP) --quiet -r requirements-dev.txt
	@touch $@
