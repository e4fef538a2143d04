# Every command of the project. `make` alone lists them.
#
# Needs Python 3.11 or newer and make, no more: each command builds what it uses. `.venv` is made
# again when the lock (requirements/) or the Python changes.
#
#   make test PYTHON=python3.13 VENV=.venv-3.13     another Python, in an environment beside
#   make test ARGS="-k session -x"                  arguments for pytest
#   make conformance SUITES="flask flask-login"     some suites only

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
BENCH_VENV ?= .venv-bench
ARGS ?=
SUITES ?=
# Leave it empty (COVERAGE=) for a run without coverage: quicker, and for a part of the tests.
COVERAGE ?= --cov --cov-report=term

# The first of these that starts and is new enough. A name on PATH may be a shim that leads
# nowhere, so each is asked for its version.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(firstword $(foreach p,python3.11 python3 python3.12 python3.13,\
	$(shell $(p) -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $(p))))
endif
PYTHON_VERSION := $(if $(PYTHON),$(shell $(PYTHON) -c \
	'import sys; print("%d.%d.%d" % sys.version_info[:3] if sys.version_info >= (3, 11) else "")' 2>/dev/null))

BIN := $(VENV)/bin
# Stamps: what an app needs, Brim itself, what the demo needs on top, what a developer needs, what
# compiling needs, and the benchmarks.
LOCK_STAMP := $(VENV)/.lock-$(PYTHON_VERSION)
RUN_STAMP := $(VENV)/.run-$(PYTHON_VERSION)
DEMO_STAMP := $(VENV)/.demo-$(PYTHON_VERSION)
DEV_STAMP := $(VENV)/.dev-$(PYTHON_VERSION)
COMPILE_STAMP := $(VENV)/.compile-$(PYTHON_VERSION)
BENCH_STAMP := $(BENCH_VENV)/.stamp-$(PYTHON_VERSION)
# Twice quiet: errors only.
PIP_OPTIONS := --disable-pip-version-check --no-input -qq
PIP := $(BIN)/python -m pip $(PIP_OPTIONS)
# What is much is installed by uv; by pip where uv fails, which may know an index that uv doesn't.
# install ENVIRONMENT,REQUIREMENTS
define install
$(BIN)/uv pip install --quiet --compile-bytecode --python $1/bin/python \
	--no-deps --require-hashes --requirement $2 \
|| $1/bin/python -m pip $(PIP_OPTIONS) install --no-deps --require-hashes --requirement $2
endef

# Where the wheels are that `make bench` measures and `make test-compiled` tests.
WHEELS := build/wheels
# Builds the archive and, from it, the wheel of the sources alone.
# archive FOLDER
define archive
$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir $1
endef
# Prints the path of the wheel of the tree as it is now: the compiled one, or with PURE=1 the other.
define wheel
rm -f $(WHEELS)/*-none-any.whl && $(call archive,$(WHEELS)) >&2 \
&& $(if $(PURE),ls,$(BIN)/python scripts/compile.py --wheel) $(WHEELS)/*-none-any.whl | tail -n 1
endef

.PHONY: help demo test test-compiled check compile bench autobahn reload serving servers isolation bare conformance docs fix lock build wheel clean python

help: ## List the commands
	@echo "make COMMAND, one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

# What it writes stays in the checkout, and is kept until `make clean`.
demo: export JOURNAL_DATA ?= $(CURDIR)/build/demo
demo: $(DEMO_STAMP) ## Serve the journal (examples/journal) with sample data; Ctrl-C ends it
	@brim=$$(cd $(BIN) && pwd)/brim; cd examples/journal; \
	$$brim --app journal db upgrade; \
	$$brim --app journal sample --if-empty; \
	echo " * To write in the journal, log in as ada; the password is: correct horse"; \
	exec $$brim --app journal run $(ARGS)

test: $(DEV_STAMP) ## Run the tests with branch coverage
	@$(BIN)/python -m pytest -q -n 3 $(COVERAGE) $(ARGS)

# From a folder of their own: src/ stays as it is.
test-compiled: $(DEV_STAMP) $(COMPILE_STAMP) ## Run the tests on compiled modules
	@wheel=$$($(wheel)); rm -rf build/compiled; $(PIP) install --no-deps --target build/compiled "$$wheel"
	@export PYTHONPATH="$(CURDIR)/build/compiled"; \
	$(BIN)/python -m brim --version | grep compiled; \
	$(BIN)/python -m pytest -q -n 3 -m "not wheel and not once" $(ARGS)

check: $(DEV_STAMP) ## Format, lint, types, floors, limits: every check, then a verdict
	@failed=; \
	run() { echo "check: $$1"; shift; "$$@" || failed=1; }; \
	run "format" $(BIN)/ruff format --quiet --check .; \
	run "lint" $(BIN)/ruff check --quiet .; \
	run "types (mypy)" $(BIN)/python -m mypy --no-error-summary; \
	run "types (pyright)" $(BIN)/pyright --project pyproject.toml --warnings --pythonpath $(BIN)/python; \
	run "floors" $(BIN)/lint-imports --no-logo; \
	run "limits" $(BIN)/python scripts/limits.py src/brim; \
	if [[ $$failed ]]; then echo "check: FAILED (make fix mends format and some lint)"; exit 1; fi; \
	echo "check: all passed"

fix: $(DEV_STAMP) ## Mend format, and what lint can mend by itself
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

# `make clean` takes the compiled away again; so does scripts/compile.py --remove.
compile: $(DEV_STAMP) $(COMPILE_STAMP) ## Compile the modules of every request, in place, for this Python
	@$(BIN)/python scripts/compile.py

# What is measured is what users get: Brim from the wheel, compiled. PURE=1: the sources alone.
bench: $(COMPILE_STAMP) $(BENCH_STAMP) ## Measure Brim beside ten frameworks, with its targets
	@wheel=$$($(wheel)) || { echo "make bench PURE=1 measures the sources." >&2; exit 1; }; \
	$(BENCH_VENV)/bin/python -m pip $(PIP_OPTIONS) install --no-deps --force-reinstall "$$wheel"
	@$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

autobahn: $(DEV_STAMP) ## Run the Autobahn test suite for WebSockets (needs a Python 2.7)
	@$(BIN)/python -m scripts.autobahn $(ARGS)

reload: $(DEV_STAMP) ## Measure how soon `brim run --debug` serves what was saved
	@$(BIN)/python -m benchmarks.reload $(ARGS)

serving: $(DEV_STAMP) ## Measure what becomes of requests when `brim serve` ends or replaces workers
	@$(BIN)/python -m scripts.serving $(ARGS)

isolation: $(DEV_STAMP) ## Look whether 100,000 requests of each kind ever see one another
	@$(BIN)/python -m scripts.isolation $(ARGS)

servers: $(DEV_STAMP) ## Ask the same of one application on every server, WSGI and ASGI
	@$(BIN)/python -m scripts.servers $(ARGS)

bare: $(DEV_STAMP) ## Try `make demo` and `make test` on a clone with empty caches
	@$(BIN)/python scripts/bare_machine.py $(ARGS)

conformance: $(DEV_STAMP) ## Run the test suites of Flask and its extensions on Brim
	@$(BIN)/python -m conformance $(SUITES) $(ARGS)

docs: $(DEV_STAMP) ## Build the documentation; a warning or a broken link is an error
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@$(BIN)/python scripts/links.py docs/_build/html README.md CONTRIBUTING.md CHANGELOG.md
	@echo "docs/_build/html/index.html"

# Where pip finds both wheels, it takes the compiled one if it is of its Python and platform.
build: $(DEV_STAMP) $(COMPILE_STAMP) ## Build the source archive and both wheels into dist/
	@rm -rf dist
	@$(call archive,dist)
	@$(BIN)/python scripts/compile.py --wheel dist/*.whl >/dev/null
	@ls dist/*

wheel: $(DEV_STAMP) $(COMPILE_STAMP) ## Try the wheels: installed and run on every Python found
	@$(BIN)/python -m pytest -q -m wheel $(ARGS)

# Floors are in pyproject.toml; exact versions and hashes in requirements/. UPGRADE=1 takes newer
# versions. Environment variables or a pip configuration say where packages come from; the
# lock names no place. Flask is left out, which extensions ask for: Brim stands in for it. Hence
# `--no-deps` where a lock is installed, which is whole without.
LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade)
LOCK := pip compile $(LOCK_OPTIONS) --no-emit-package flask pyproject.toml
# The benchmarks' peers, the real Flask among them.
LOCK_BENCH := pip compile $(LOCK_OPTIONS) benchmarks/requirements.in
lock: $(VENV)/bin/uv ## Compile requirements/ from pyproject.toml (UPGRADE=1: newest versions)
	@$(BIN)/uv pip compile $(LOCK_OPTIONS) --group uv --output-file requirements/uv.txt
	@$(BIN)/uv $(LOCK) --all-extras --group dev --constraints requirements/uv.txt --output-file requirements/dev.txt
	@$(BIN)/uv $(LOCK) --extra dotenv --extra dev --group build \
		--constraints requirements/dev.txt --output-file requirements/run.txt
	@$(BIN)/uv $(LOCK) --extra dotenv --extra dev --group build --group journal \
		--constraints requirements/dev.txt --output-file requirements/demo.txt
	@$(BIN)/uv pip compile $(LOCK_OPTIONS) --group compile --constraints requirements/dev.txt \
		--output-file requirements/compile.txt
	@$(BIN)/uv $(LOCK_BENCH) --constraints requirements/dev.txt --output-file benchmarks/requirements.txt
	@echo "requirements/uv.txt requirements/run.txt requirements/demo.txt requirements/dev.txt requirements/compile.txt benchmarks/requirements.txt"

clean: ## Remove environments, caches and everything built
	@rm -rf .venv .venv-* dist build docs/_build htmlcov .coverage .coverage.* benchmarks/results/*.{json,svg} \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src \( -name '*.so' -o -name '*.pyd' \) -delete
	@rm -rf examples/journal/instance examples/journal/.ruff_cache examples/journal/.pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Environments

python:
	@if [[ -z "$(PYTHON_VERSION)" ]]; then \
		echo "Brim needs Python 3.11 or newer, and found none$(if $(PYTHON), at '$(PYTHON)')." >&2; \
		echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
		exit 1; \
	fi

$(LOCK_STAMP): requirements/run.txt | python
	@echo "$(VENV): Python $(PYTHON_VERSION) and what an app needs" >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-deps --require-hashes --requirement requirements/run.txt
	@touch $@

$(RUN_STAMP): pyproject.toml $(LOCK_STAMP)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEMO_STAMP): requirements/demo.txt $(LOCK_STAMP) | $(RUN_STAMP)
	@echo "$(VENV): what the journal stands on" >&2
	@$(PIP) install --no-deps --require-hashes --requirement requirements/demo.txt
	@touch $@

$(DEV_STAMP): requirements/uv.txt requirements/dev.txt $(LOCK_STAMP) | $(RUN_STAMP)
	@echo "$(VENV): the developer's tools, once" >&2
	@$(PIP) install --no-deps --require-hashes --requirement requirements/uv.txt
	@$(call install,$(VENV),requirements/dev.txt)
	@touch $@

# A wheel is compiled anew when its sources have changed (scripts/compile.py), or what compiles them.
$(COMPILE_STAMP): requirements/compile.txt scripts/compile.py $(LOCK_STAMP) | $(RUN_STAMP) $(VENV)/bin/uv
	@$(call install,$(VENV),requirements/compile.txt)
	@rm -rf $(WHEELS)
	@touch $@

$(VENV)/bin/uv: requirements/uv.txt | python
	@[[ -x $(BIN)/python ]] || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-deps --require-hashes --requirement requirements/uv.txt
	@touch $@

$(BENCH_STAMP): benchmarks/requirements.txt requirements/run.txt pyproject.toml | python $(VENV)/bin/uv
	@echo "$(BENCH_VENV): what Brim is compared with" >&2
	@rm -rf $(BENCH_VENV)
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip $(PIP_OPTIONS) install \
		--no-deps --require-hashes --requirement requirements/run.txt
	@$(call install,$(BENCH_VENV),benchmarks/requirements.txt)
	@touch $@
