.DEFAULT_GOAL := help
.PHONY: help setup up down status clean lint test test-slow test-long test-browser test-faults test-all golden docs qc-scores model-skill lock bench

weahouse := .venv/bin/weahouse
# One process makes plans on one core; see tests/processes.py.
in_two := -n 2 --dist loadscope --no-loadscope-reorder

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing: OS packages, the locked environment in .venv/ (every other target does this first)
	@deploy/setup.sh

up: setup ## Start the platform and return when observations flow
	@$(weahouse) up

down: setup ## Stop every process; the data stays
	@$(weahouse) down

status: setup ## Show each service, the stream and the counts
	@$(weahouse) status

clean: setup ## Stop the platform and delete its data (asks; YES=1 does not)
	@$(weahouse) clean $(if $(YES),--yes)

lint: setup ## Check style, types and who imports whom
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# Every test makes plans of its own, few of which run often enough to be worth compiling, and drivers come and go. Without
# the JVM's second compiler these take three quarters of the CPU (the first one's default of 48 MB of code is full after
# some minutes), and with Spark's interpreter in place of its generated Java three quarters of that. The tests' own session
# has that compiler back. Tests that take in many records compile as a user's processes do.
test test-browser: export JAVA_TOOL_OPTIONS := -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m \
    -Dspark.sql.codegen.wholeStage=false -Dspark.sql.codegen.factoryMode=NO_CODEGEN
test: setup ## Run the tests on servers of their own, in two processes
	.venv/bin/pytest $(in_two) -m 'not slow and not long and not browser'

test-slow: setup ## Run the tests that take minutes: five months of real observations, with kills
	.venv/bin/pytest $(in_two) -m slow

# As `make test-faults`, not part of what is run before each change, which has an hour and a half.
test-long: setup ## Run what takes longest: all shipped observations, a day in bounded memory, what `stream rebuild` mends
	.venv/bin/pytest -m long

test-browser: setup ## Fill in Airflow's forms in a headless Chromium, which it installs
	@deploy/setup.sh tests/packages.txt
	.venv/bin/pytest -m browser

test-faults: setup ## Strike the stream with faults, by seeds: SEEDS=5 SEED_BASE=1; RECORD=1 notes the results
	.venv/bin/python -m tests.faults --seeds $(or $(SEEDS),5) --seed-base $(or $(SEED_BASE),1) $(if $(RECORD),--record)

test-all: test test-slow test-browser test-long ## Run all tests

golden: setup ## Rewrite the golden files of the rendered commands
	REWRITE_GOLDEN=1 .venv/bin/pytest -k 'golden or reviewed'

docs: setup ## Generate docs/reference again, and docs/benchmarks.md from what was measured last
	.venv/bin/python docs/generate.py
	.venv/bin/python -m bench.report

qc-scores: setup ## Score quality control and write docs/reference/quality_scores.md
	.venv/bin/python -m bench.quality_scores

model-skill: setup ## Train with the shipped file and write docs/reference/model_skill.md; takes up to an hour
	.venv/bin/python -m bench.model_skill

lock: setup ## Resolve requirements.txt into requirements.lock, with hashes
	.venv/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements.txt -o requirements.lock

bench: setup ## Measure speed for less than 40 minutes; writes .weahouse/bench/latest.json and docs/benchmarks.md
	.venv/bin/python -m bench
