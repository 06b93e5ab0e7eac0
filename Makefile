# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They need Python 3.12 or newer, and make; everything else is installed into .venv from the lock files.

PYTHON ?= $(shell command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Behind a proxy that signs anew the installer's own certificates do not do: then those of the machine are tried.
INSTALL = install() { $(BIN)/uv pip install --quiet --python $(BIN)/python "$$@"; }; retry() { install "$$@" 2>$(VENV)/.refused || UV_SYSTEM_CERTS=1 install "$$@"; }; retry
DEMO_DATA ?= $(CURDIR)/.data/demo

# Where bytecode must not be written, every start of every process compiles each imported module again.
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A user without a home to write to (a service account, a container) keeps the installer's cache beside the environment.
ifneq ($(shell mkdir -p "$$HOME/.cache" 2>/dev/null && test -w "$$HOME/.cache" && echo yes),yes)
export UV_CACHE_DIR := $(CURDIR)/.venv/.uv-cache
export PIP_CACHE_DIR := $(CURDIR)/.venv/.pip-cache
export HOME := $(CURDIR)/.venv
endif

.PHONY: demo test test-long load lint client lock help

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(VENV)/.client ## A planned and published day in Helsinki, live; ONCE=1 ends when the story is told
	DATA_FOLDER=$(DEMO_DATA) $(BIN)/fieldvisit demo $(if $(ONCE),--once)

test: $(VENV)/.installed-dev ## All checks and every quick test
	# The kernel is compiled beside the checks, once: the tests' processes would each do it for themselves.
	@$(BIN)/python -m routing warm & $(MAKE) --no-print-directory lint; checked=$$?; wait $$! || exit 1; exit $$checked
	# Three on two processors: the tests of processes wait for one to start half of their time.
	$(BIN)/python -m pytest -q -n 3 --dist loadgroup -m "not long"

test-long: $(VENV)/.client ## The tests that take longer
	$(BIN)/python -m pytest -q -m long

load: $(VENV)/.installed-dev ## How fast phones are answered; PHONES=300 LOAD_S=600 for the whole, ONLY=check_in for one
	$(BIN)/python -m pytest -q -s -m long tests/load $(if $(ONLY),-k $(ONLY))

lint: $(VENV)/.client ## Style, types, and the arrows between the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

client: $(VENV)/.client ## The typed client of the phone's API, from the OpenAPI document

lock: $(VENV)/.uv ## Pin the newest versions that fit pyproject.toml, with hashes and without addresses
	$(BIN)/uv pip compile --universal --python-version 3.12 --generate-hashes --no-header --upgrade -q \
		pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.12 --generate-hashes --no-header --upgrade -q \
		--extra dev pyproject.toml -o requirements-dev.lock

$(VENV)/.uv: requirements-tools.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12) and "Python 3.12 or newer is needed; this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-tools.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.uv requirements.lock pyproject.toml
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps -e .
	@touch $@

# Written anew where the document has changed; looked at where any source has.
$(VENV)/.client: $(VENV)/.installed-dev $(shell find api fieldvisit -name '*.py')
	@$(BIN)/python -m api.typed_client
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
