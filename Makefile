# Everything a fresh checkout can do. Needs Python 3.11 or newer with pip, and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test bench lint check-python check-app lock clean
.NOTPARALLEL:

PYTHON_HERE := .venv/bin/python
# Tests wait about half of their time, for processes, disks and browsers.
TESTS_AT_ONCE := $(shell echo $$(($$(nproc) * 3 / 2)))
NPM := $(PYTHON_HERE) static/build.py npm
# The tests start the server some fifty times, and it is not compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Set up what is missing and serve the sandbox hospital on port 8080
	@.ci/setup run
	@$(PYTHON_HERE) static/build.py || echo "[app] not built; the server starts without a new one"
	@exec $(PYTHON_HERE) -m server run --sandbox

test: ## Set up what is missing and run every check
	@.ci/setup test
	@$(PYTHON_HERE) static/build.py
	@$(MAKE) --no-print-directory check-python check-app
	$(PYTHON_HERE) -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder

lint: ## Style and types only
	@.ci/setup test
	@$(MAKE) --no-print-directory check-python
	@$(NPM) run typecheck

check-python:
	$(PYTHON_HERE) -m ruff check .
	$(PYTHON_HERE) -m mypy

check-app:
	$(NPM) run typecheck
	$(NPM) run test

bench: ## Compare with other servers and ask every question in benchmarks/; BENCH=--quick for less
	@.ci/setup test
	@$(PYTHON_HERE) -m benchmarks $(BENCH)

lock: ## Resolve pyproject.toml again and write the lock files
	@.ci/lock

clean: ## Remove what was built and installed here, not the hospital's data in var/
	rm -rf .venv static/node_modules static/dist static/dist.* static/.build-lock
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results build ./*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
