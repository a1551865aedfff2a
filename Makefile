# On a fresh machine: `make run` runs the national peak day, `make test` the tests. Needs Python 3.11 or newer.

PYTHON ?= python3
VENV ?= .venv
SCENARIO ?= peak
JOBS ?= 2
PY = $(VENV)/bin/python
PIP = $(PY) -m pip install --quiet --disable-pip-version-check
UV = build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--no-header --no-annotate --no-emit-index-url $(if $(UPGRADE),--upgrade)

.PHONY: run test test-slow check bench figures docs lock clean

run: $(VENV)/ready-run  ## Run a scenario (SCENARIO=peak) and write its report.
	$(VENV)/bin/postroad run $(SCENARIO) --replace

test: $(VENV)/ready-dev  ## Run the tests (ARGS="tests/core -k s10" for some of them).
	$(PY) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

test-slow: $(VENV)/ready-dev  ## Run the tests that take more than a minute.
	$(PY) -m pytest -m slow $(ARGS)

check: $(VENV)/ready-dev  ## Lint, import contracts, size budget, locks, error codes, public surface.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports
	$(PY) -m pytest tests/architecture

bench: $(VENV)/ready-bench  ## Measure against the peers (ONLY=name for one script).
	set -e; for script in $(if $(ONLY),benchmarks/$(ONLY).py,$(filter-out benchmarks/figures.py,$(wildcard benchmarks/*.py))); do $(PY) $$script; done

figures: $(VENV)/ready-bench  ## Show the figures that must hold (ONLY=name for one).
	$(PY) benchmarks/figures.py $(if $(ONLY),--only $(ONLY))

docs: $(VENV)/ready-dev  ## Write the generated pages of docs/reference.
	$(PY) docs/generate.py

# Pins are kept where they still fit; UPGRADE=1 takes the newest of everything.
lock:  ## Pin the dependencies declared in pyproject.toml.
	test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv; }
	$(UV) pyproject.toml -o requirements.lock
	$(UV) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
	$(UV) pyproject.toml --extra bench -c requirements-dev.lock -o requirements-bench.lock

clean:  ## Remove the environment and what builds leave.
	rm -rf $(VENV) build

$(PY):
	@$(PYTHON) -c "import sys; sys.exit(None if sys.version_info >= (3, 11) else 'Postroad needs Python 3.11 or newer: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready-run: requirements.lock pyproject.toml | $(PY)
	@echo "Installing Postroad into $(VENV) ..."
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --editable .
	@echo "Compiling the kernels, once ..."
	$(VENV)/bin/postroad run tiny --to build/warm --replace --no-report > build-warm.log || { cat build-warm.log; exit 1; }
	@rm -rf build/warm build-warm.log
	@touch $@

$(VENV)/ready-dev: requirements-dev.lock $(VENV)/ready-run
	$(PIP) -r requirements-dev.lock
	@touch $@

$(VENV)/ready-bench: requirements-bench.lock $(VENV)/ready-run
	$(PIP) -r requirements-bench.lock
	@touch $@
