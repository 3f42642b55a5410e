# Everything here sets itself up: Python 3.11 or newer, make and a network to the package registries will do.
# The environment is .venv: made once, and completed again when pyproject.toml has changed.

# The Python that .venv is made with, as in `make demo PYTHON=python3.12`; by default the first that will do.
PYTHON  ?=
WORKERS ?= 2
CUDA    ?= 13
PROFILE ?= $(if $(CI),ci,dev)

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# One BLAS thread per worker: two workers with two threads each would wait for one another.
PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)

# What can differ where CuPy is installed; the rest of tests/cuda is the same in `make test`.
CUPY_TESTS := $(addprefix tests/cuda/test_,devices.py kernel_bodies.py missing.py products.py surface.py) tests/engine

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test test-oracle test-cupy test-gpu test-long lint bench mutation clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.demo  ## train an attention model on dates in nine languages and draw what it learned
	$(BIN)/minigrad train dates --overwrite

test: lint  ## check style and types, then run the tests that need neither PyTorch nor a GPU
	$(PYTEST) --hypothesis-profile=$(PROFILE)

test-oracle: .venv/.dev  ## run the tests that compare with PyTorch, installing it if need be
	@$(BIN)/python -c "import torch" 2>/dev/null || { echo "Installing PyTorch 2.13.0 into .venv"; \
	    $(PIP) install torch==2.13.0; } || { \
	    echo "make test-oracle: PyTorch is neither in .venv nor can pip install it; the CPU build is enough."; \
	    echo "Once you have it: $(BIN)/pip install torch==2.13.0, or $(BIN)/pip install FILE.whl"; \
	    exit 1; }
	$(PYTEST) --hypothesis-profile=$(PROFILE) -m oracle

test-cupy: .venv-cupy/.test  ## check the kernels for the GPU with CuPy and NVIDIA's compiler; no GPU is needed
	$(subst $(BIN),.venv-cupy/bin,$(PYTEST)) --hypothesis-profile=$(PROFILE) $(CUPY_TESTS)

test-gpu: .venv-cupy/.gpu  ## run the tests that need an NVIDIA GPU (CUDA=12 for a driver of CUDA 12)
	.venv-cupy/bin/python -m pytest -m gpu

test-long: .venv/.dev  ## run the tests at their full counts
	$(PYTEST) --hypothesis-profile=deep -m "not oracle and not gpu"

lint: .venv/.dev  ## check style and types alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.dev  ## measure what the tape costs on top of NumPy
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m minigrad.tools bench overhead

mutation: .venv/.dev  ## change one sign or number of the engine at a time, and see whether a test fails (hours)
	$(BIN)/python tests/mutate.py --sample 500

clean:  ## remove .venv, caches and builds; runs/ stays
	rm -rf .venv .venv-cupy build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp for each set of extras; it is older than pyproject.toml when there may be something new to install.
.venv/.demo .venv/.dev: .venv/.%: .venv/.made pyproject.toml
	@echo "Installing minigrad and what \`make $(firstword $(MAKECMDGOALS))\` needs into .venv: a minute or two"
	@$(PIP) install --editable ".[$*]"
	@touch $@

# CuPy has an environment of its own, since the tests in .venv are those of a machine without it. Where there is
# a driver, CUDA's libraries come with it.
.venv-cupy/.test: .venv/.made pyproject.toml
	@echo "Installing CuPy and NVIDIA's compiler into .venv-cupy (460 MB): a minute"
	@$(BIN)/python -m venv .venv-cupy
	@$(subst $(BIN),.venv-cupy/bin,$(PIP)) install --editable ".[cupy-test,cuda$(CUDA)]"
	@touch $@

.venv-cupy/.gpu: .venv-cupy/.test
	@echo "Installing CUDA's libraries into .venv-cupy (2 GB): some minutes"
	@$(subst $(BIN),.venv-cupy/bin,$(PIP)) install "cupy-cuda$(CUDA)x[ctk]>=14.2,<15"
	@touch $@

define CHECK
import sys
version = "%d.%d" % sys.version_info[:2]
if sys.version_info < (3, 11):
    print(version + " is too old")
    sys.exit(1)
try:
    import ensurepip, venv
except ImportError as error:
    print(version + " lacks " + error.name + " (on Debian and Ubuntu it is in the package python3-venv)")
    sys.exit(1)
endef
export CHECK

.venv/.made:
	@if $(BIN)/python -m pip --version >/dev/null 2>&1; then touch $@; exit; fi; \
	for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
	    if reason=$$($$python -c "$$CHECK" 2>/dev/null); then \
	        echo "Making .venv with $$($$python --version)"; \
	        $$python -m venv .venv && touch $@; exit; \
	    fi; \
	    tried="$$tried  $$python: $${reason:-does not run}\n"; \
	done; \
	printf "minigrad needs Python 3.11 or newer with venv and ensurepip. Tried:\n%b" "$$tried"; \
	echo "Install one, or name one: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3.12"; \
	exit 1
