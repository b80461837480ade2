# Every target in one line; `make` alone explains them. Needs Python 3.11, git and GNU make.

PORT ?= 5000
SIZE ?= full
WORKERS ?= 2
PYTHON ?= $(shell for p in python3.11 python3 python; do "$$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

BIN := .venv/bin
export FLASK_APP := wsgi

.DEFAULT_GOAL := help
.PHONY: help setup run demo test lint format prove bench peers paper browser screens lock migrate openapi clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.project ## The environment in .venv, from requirements.lock; instant when nothing changed (PYTHON=python3.11)

run: setup ## A planned demo day, served: API, pages and scheduler; ctrl-C stops them all (PORT=5000)
	@$(BIN)/flask demo prepare
	@exec $(BIN)/flask demo serve --port $(PORT)

demo: setup ## The demo day as `make run` prepares and prints it, without serving it
	@$(BIN)/flask demo prepare

test: setup ## All tests, proofs at small size, on SQLite and on PostgreSQL when one answers (T=tests/routing, WORKERS=2)
	@$(BIN)/python -m pytest -n $(WORKERS) $(T)

lint: setup ## ruff, mypy --strict and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Rewrite the code in the house's layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

prove: setup ## The proofs at full size, one line each; exit 1 when one is short (P=line, all when unset; SIZE=full|release|small)
	@$(BIN)/python -m tests.proof $(P) --size $(SIZE)

bench: setup ## Speed tables, printed and kept in docs/benchmarks.md (B=line, all when unset; B=planner: INSTANCES=folder PART=first BUDGET=0.1 FRESH=1)
	@$(BIN)/python -m benchmarks $(B)

peers: setup ## The other planners `make bench` measures ours against
	@$(BIN)/python -m pip install --quiet --editable '.[bench]'

paper: setup ## What prints route lists as PDF (with libpango and fonts-noto-cjk), and what the tests read them back with
	@$(BIN)/python -m pip install --quiet --editable '.[pdf,paper]'

browser: setup ## What drives Chromium in the tests of the screens; the browser itself comes from Debian (chromium, fonts-noto-cjk)
	@$(BIN)/python -m pip install --quiet --editable '.[browser]'

screens: setup ## A picture of every screen, in both languages, into docs/screens/ (S="goals plan", all when unset)
	@$(BIN)/python -m tests.pictures $(S)

# Resolved against plain PyPI whatever this machine's pip is told, so that the file holds for everyone.
lock: setup ## Resolve setup.cfg again into requirements.lock, hashes of every platform's files included (UPGRADE=--upgrade)
	PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= PIP_EXTRA_INDEX_URL= CUSTOM_COMPILE_COMMAND='make lock' \
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links \
	  --extra postgres --extra server --extra test --build-deps-for editable \
	  --output-file requirements.lock $(UPGRADE) setup.cfg

migrate: setup ## Bring the database at DATABASE_URL to the newest schema
	@$(BIN)/flask db upgrade

openapi: setup ## Write the API's contract to docs/openapi.json
	@$(BIN)/flask openapi write --format json docs/openapi.json

clean: ## Remove caches and build leftovers; databases and .venv stay
	rm -rf build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# Two stamps: a changed lock reinstalls packages, a changed setup.cfg only the project itself.
# --no-deps: the lock is whole, and pip would look for an extra (coverage[toml]) outside it once a newer release is out.
.venv/.locked: requirements.lock
	@test -n "$(PYTHON)" || { echo "No Python 3.11 here (tried python3.11, python3, python). Install it, on Debian or Ubuntu: apt-get install python3.11 python3.11-venv; or name one: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: its venv package is missing. On Debian or Ubuntu: apt-get install python3.11-venv" >&2; exit 1; }
	@test -x $(BIN)/pip || "$(PYTHON)" -m venv .venv
	@echo "Installing the packages of requirements.lock into .venv (about 250 MB to fetch the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@touch $@

.venv/.project: .venv/.locked setup.cfg pyproject.toml
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
