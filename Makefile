# The doors of the project. Everything works in a fresh clone with Python 3.11+ and GNU make.
# Recipes `exec`, so that a signal to make reaches the program itself.

PYTHON := .venv/bin/python
ARGS ?=
ROUNDS ?= 20
SEED ?= 1
# The types of Django are read from the settings, which want values and connect to nothing.
OFFLINE := SECRET_KEY=none HELIUS_WEBHOOK_SECRETS=none \
	DATABASE_URL=postgresql://127.0.0.1:9/none REDIS_URL=redis://127.0.0.1:9/0

.DEFAULT_GOAL := help
.PHONY: help install demo test faults check bench lock reset

help:
	@echo 'make demo          the whole site on http://127.0.0.1:8000/ with a playing market (PORT=8001)'
	@echo 'make test          the whole test suite (ARGS="-k name")'
	@echo 'make faults        kills, crashes and full disks under load (ROUNDS=20 SEED=1)'
	@echo 'make check         lint, format, types, import law, system checks, migrations'
	@echo 'make bench         the benchmarks (ARGS="receiver --json")'
	@echo 'make install       only the environment in .venv'
	@echo 'make lock          resolve pyproject.toml into requirements.txt again'
	@echo 'make reset         remove the databases of this clone'

# Asked for by name it looks at every package again; before other targets a stamp is enough.
install:
	@$(if $(filter install,$(MAKECMDGOALS)),rm -f .venv/.installed;) exec sh pumploss/stack/install.sh

demo: install
	@exec $(PYTHON) -m pumploss.stack demo

test: install
	@exec $(PYTHON) -m pytest $(ARGS)

faults: install
	@PUMPLOSS_FAULT_ROUNDS=$(ROUNDS) PUMPLOSS_FAULT_SEED=$(SEED) exec $(PYTHON) -m pytest -m faults $(ARGS)

check: install
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(OFFLINE) $(PYTHON) -m mypy .
	.venv/bin/lint-imports
	$(PYTHON) manage.py check
	$(PYTHON) manage.py makemigrations --check --dry-run

bench: install
	@exec $(PYTHON) -m pumploss.stack run bench -- \
		sh -c 'python manage.py migrate --verbosity 0 && exec python manage.py bench "$$@"' \
		bench $(or $(ARGS),all)

lock: install
	exec $(PYTHON) -m uv pip compile pyproject.toml --group dev --python-version 3.11 -o requirements.txt --no-header

reset: install
	@exec $(PYTHON) -m pumploss.stack reset
