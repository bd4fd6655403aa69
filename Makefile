# Everything a newcomer or a machine starts. A bare clone needs Python 3.11 to 3.13 and make; no root, no services.
# Names and output of these targets are relied upon: `make help` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test test-llm test-postgres attack check bench bench-load chaos sbom messages lock clean

PYTHON := $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(shell $(name) -c 'import sys; \
	sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && command -v $(name))))
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
TEST_ARGS ?=

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP)  ## a demonstration on this computer: one address, three logins; Ctrl-C stops it
	@exec $(RUN) manage.py demo

test: $(STAMP)  ## the whole fast suite on SQLite (TEST_ARGS="-k word" passes through)
	@exec $(RUN) -m pytest -n 2 --dist loadscope -m "not llm" $(TEST_ARGS)

# What the model server needs has an environment of its own: 3.6 GB, installed once and shared with `make demo`.
MODEL := $(VENV)/model

test-llm: $(STAMP)  ## the real model server with our adapter (installs 3.6 GB of vLLM once; about 6 minutes)
	@ENV_FILE=/dev/null DEBUG=1 $(RUN) manage.py prepare_model --folder $(MODEL)
	@MODEL_FOLDER=$(MODEL) exec $(RUN) -m pytest -m llm tests/llm $(TEST_ARGS)

test-postgres: $(STAMP)  ## database and queue tests on a real PostgreSQL
	@exec $(RUN) -m namsite.devservers $(RUN) -m pytest -m "(django_db or queue) and not browser" tests/integration $(TEST_ARGS)

ATTACK_ARGS ?=

attack: $(STAMP)  ## tries the attacks of docs/security.md and prints a table; fails if one got through (about 5 minutes)
	@exec $(RUN) -m pytest -q --no-header -p tests.attacks -m "attack and not llm" tests $(ATTACK_ARGS)

# The production that `check --deploy` looks at: made up, as docs/settings.md asks for it, and never connected to.
PRODUCTION := ENV_FILE=/dev/null TESTING= DEBUG= DEMO= SECRET_KEY=made-up-for-make-check-9f8e7d6c5b4a39281706f5e4d3c2b1a0zyxw \
	VAULT_KEYS=k1:bWFkZS11cC1mb3ItbWFrZS1jaGVjay0wMTIzNDU2Nzg= \
	VAULT_INDEX_KEY=aW5kZXgtZm9yLW1ha2UtY2hlY2stMDEyMzQ1Njc4OTA= \
	DATABASE_URL=postgres://namsite@127.0.0.1/namsite REDIS_URL=rediss://:made-up@10.0.3.40:6379/0 \
	AUDIT_ANCHOR_KEY_FILE=/etc/namsite/anchor.pem AUDIT_ANCHOR_DIRS=/srv/anchors,/mnt/other-host/anchors \
	LLM_ENDPOINT=http://10.0.3.50:8000/v1 ALLOWED_HOSTS=nam.example BEHIND_PROXY=1

check: $(STAMP)  ## lint, types, templates, migrations, translations, production settings
	@echo "ruff";         $(RUN) -m ruff check . && $(RUN) -m ruff format --check --quiet .
	@echo "mypy";         $(RUN) -m mypy
	@echo "templates";    $(RUN) -m djlint templates --check --lint --quiet
	@echo "migrations";   ENV_FILE=/dev/null DATABASE_URL=sqlite://:memory: $(RUN) manage.py makemigrations --check --dry-run
	@echo "translations"; ENV_FILE=/dev/null $(RUN) manage.py messages --check
	@echo "production";   $(PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING

# The tools that ours is measured beside have an environment of their own; without it those comparisons are left out.
PEERS := $(VENV)/peers
BENCH_ARGS ?=

bench: $(STAMP)  ## the benchmarks, with a table at the end (BENCH_ARGS="word" picks some)
	@test $(PEERS)/.installed -nt tests/benchmarks/peers.txt || { echo "Installing the peers (about 80 seconds, once)…"; \
		$(PYTHON) -m venv --clear $(PEERS) && $(PEERS)/bin/python -m pip install -qq --disable-pip-version-check \
		--no-input --require-hashes --no-deps -r tests/benchmarks/peers.txt && touch $(PEERS)/.installed; } \
		|| echo "The peers could not be installed; their comparisons are left out."
	@PATH="$(CURDIR)/$(PEERS)/bin:$$PATH" exec $(RUN) -m tests.benchmarks $(BENCH_ARGS)

LOAD_ARGS ?=

bench-load: $(STAMP)  ## an installation under load (LOAD_ARGS="part…" of docs/load.md; 10 minutes each at most)
	@exec $(RUN) -m tests.load $(LOAD_ARGS)

CHAOS_ARGS ?=

chaos: $(STAMP)  ## kills and cuts everything while people work, and says what was lost (about an hour; docs/chaos.md)
	@exec $(RUN) -m tests.chaos $(CHAOS_ARGS)

SBOM ?= sbom.json

sbom: $(STAMP)  ## what requirements.txt installs, as a CycloneDX bill of materials (SBOM=file)
	@$(VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
		-o $(SBOM) requirements.txt 2>/dev/null && echo "$(SBOM)"

messages: $(STAMP)  ## brings the French messages up to date with the sources
	@ENV_FILE=/dev/null $(RUN) manage.py messages

# uv makes the locks and is the only tool that is not in them; they are installed with pip alone. Versions stay as they
# are unless LOCK_ARGS says otherwise: `make lock LOCK_ARGS=--upgrade`.
LOCK_ARGS ?=
LOCK = head=$$(sed '/^\#/!q' $(1) | grep '^\#'); \
	uv pip compile --quiet --no-header --generate-hashes $(2) $(LOCK_ARGS) -o $(1) && \
	printf '%s\n' "$$head" | cat - $(1) > $(1).new && mv $(1).new $(1)

lock:  ## makes requirements.txt and deploy/vllm/requirements.txt anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv (https://docs.astral.sh/uv/), 0.13 or newer." >&2; exit 2; }
	@$(call LOCK,requirements.txt,--universal --python-version 3.11 --all-extras pyproject.toml)
	@$(call LOCK,deploy/vllm/requirements.txt,--python-version 3.12 --python-platform x86_64-unknown-linux-gnu \
		deploy/vllm/requirements.in)

clean:  ## removes what these targets made: environment, demonstration, caches
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made once, and again only when requirements.txt changed.
$(STAMP): requirements.txt
	@test -n "$(PYTHON)" || { echo "This needs Python 3.11, 3.12 or 3.13, and none is on the PATH." >&2; exit 2; }
	@echo "Installing what requirements.txt lists into $(VENV) with $$($(PYTHON) -V) (about 80 seconds, once)…"
	@test -x $(RUN) && $(RUN) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
		|| $(PYTHON) -m venv --clear $(VENV)
	@$(RUN) -m pip install -qq --disable-pip-version-check --no-input --require-hashes --no-deps -r requirements.txt
	@touch $@
