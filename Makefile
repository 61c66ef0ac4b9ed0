# Everything runs from .venv at the root, which each target makes or brings up to date by itself.
# PYTHON=python3.12 make test    chooses the Python that a new .venv is made with.

PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime
DEV := .venv/.dev
# More than there are cores: tests on Kafka wait more than they work.
WORKERS ?= 4
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --extra build \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test chaos check format up down compile bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUNTIME) ## watch it work: embedded broker, a worker, a simulated city (ONCE=1: one day, then a summary)
	$(BIN)/tierwatch demo $(if $(filter-out 0,$(ONCE)),--once)

test: $(DEV) ## run all tests, real Kafka included (ARGS='-k windows' chooses)
	@$(BIN)/python -m tests.services
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
# A file at a time, in the order of tests/conftest.py: the tests of a file share what they have set up, and each process has a Kafka
# of its own, where topics have their real names. What failed is tried once more: docs/engine.md, known to be open.
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --ignore=tests/kafka/test_chaos_long.py || \
		$(BIN)/python -m pytest --last-failed --ignore=tests/kafka/test_chaos_long.py
endif

chaos: $(DEV) ## break workers and broker while transactions flow, and count what is lost (minutes)
	@$(BIN)/python -m tests.services
	$(BIN)/python -m pytest tests/kafka/test_chaos.py tests/kafka/test_chaos_long.py

check: $(DEV) ## lint, types, one-way imports, generated files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.generate --check
	$(BIN)/python -m pipeline.policy.schema --check
	$(BIN)/python -m console.generate --check
	$(BIN)/python -m console.life_page --check
	$(BIN)/python -m console.rules_page --check
	$(BIN)/python -m tests.bad_input --check
	$(BIN)/python -m dashboards.slo --check
	$(BIN)/python -m dashboards.grafana --check

format: $(DEV) ## format the code and mend what can be mended
	$(BIN)/ruff check --fix-only --exit-zero
	$(BIN)/ruff format

up: ## start everything in containers: Kafka, Redis, Prometheus, Alertmanager, Grafana, two workers
	@docker compose version > /dev/null 2>&1 || { \
		echo "make up needs Docker with Compose 2, which is not here: install it, or try 'make run', which needs only Python." >&2; \
		exit 1; }
	docker compose up --build --wait $(ARGS)

down: ## stop the containers (their volumes stay)
	docker compose down

compile: $(DEV) ## compile the pipeline for this tree, into .compiled (needs a C compiler; a minute or two)
	$(BIN)/python -m agents.compiled

bench: $(DEV) ## run a benchmark (NAME=…; without one: the list)
	$(BIN)/python -m load_tests $(NAME)

lock: $(DEV) ## pin the newest allowed versions, with hashes, for every Python and platform we run on
	$(LOCK) --upgrade --output-file requirements.txt
	$(LOCK) --upgrade --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## remove what was built, the environment included
	rm -rf .venv .compiled build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "tierwatch needs Python 3.11 or newer; '$(PYTHON)' is older or missing. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
		exit 1; }
	$(PYTHON) -m venv --clear .venv

$(RUNTIME): requirements.txt pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --require-hashes -r requirements.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.txt pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --require-hashes -r requirements-dev.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(RUNTIME)
