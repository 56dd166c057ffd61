# The front door. `make` prints what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS := never
# A job is several processes: compiling every module anew in each of them would cost more than what they do.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3.11
UV := .cache/uv/bin/uv
BIN := .venv/bin
RUST := $(shell find rust -name '*.rs' -o -name Cargo.toml -o -name '*.bin') Cargo.toml Cargo.lock

help: ## Print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: .venv/.ready ## Environment, compiled part and command: leaves .venv/bin/opendrs

.cache/uv/bin/uv:
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

# Exactly what is locked, by hash; then the compiled part, in the one cargo profile there is.
.venv/.ready: requirements.lock pyproject.toml $(RUST) | $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	VIRTUAL_ENV=$(CURDIR)/.venv PATH="$(CURDIR)/.cache/uv/bin:$$PATH" $(BIN)/maturin develop --quiet --release --locked --uv
	$(BIN)/python -m compileall -q src
	@touch $@

demo: setup ## A job on real servers, before your eyes (SOURCE=mariadb|mysql, TARGET=postgres|kafka, EXIT=1 ends by itself)
	$(BIN)/python -m tools.demo --source $(or $(SOURCE),mariadb) --target $(or $(TARGET),postgres) $(if $(EXIT),--exit)

test: setup ## Everything that this machine can test, with real servers; says what it could not (SEED= orders)
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --randomly-seed=$(or $(SEED),1)

check: setup ## Format, lints, types, import contracts, house rules, Rust tests
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	cargo fmt --all --check
	cargo clippy --quiet --release --locked --workspace --all-targets -- -D warnings
	cargo test --quiet --release --locked --workspace

torture: setup ## Long seeded faults on real servers and in simulation (SEED=, MINUTES=)
	SEED=$(or $(SEED),0) MINUTES=$(or $(MINUTES),10) $(BIN)/python -m tests.torture

bench: setup ## Measure against the C references and print ratios
	$(BIN)/python -m benchmarks

golden: setup ## Rewrite the expected files of golden tests and show what changed
	OPENDRS_GOLDEN=rewrite $(BIN)/python -m pytest tests/golden tests/unit -q -m golden
	OPENDRS_GOLDEN=rewrite cargo test --quiet --release --locked -p opendrs-messages --test golden
	git diff --stat -- tests/golden rust/messages/tests/golden docs/reference

lock: $(UV) ## Write requirements.lock anew from pyproject.toml
	$(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --group dev pyproject.toml -o requirements.lock

clean: ## Remove everything that can be made again
	rm -rf .venv .cache target src/opendrs/_core*.so

.PHONY: help setup demo test check torture bench golden lock clean
