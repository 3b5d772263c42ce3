# Everything runs in .venv, installed from hash-locked requirements; nothing but Python, git and make is needed.
# Benchmarks run in .venv-bench, which has the tools they compare with too: those hold pandas back.

PYTHON ?= python3
# Of itself uv trusts its own list of certificate authorities; pip trusts the system's, which a TLS proxy needs.
export UV_SYSTEM_CERTS ?= true
BIN := .venv/bin
LOCK := uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11

.PHONY: demo test lint bench lock generate clean
.DELETE_ON_ERROR:

demo: .venv/ready
	$(BIN)/ml-compliance demo

test: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv-bench/ready
	.venv-bench/bin/python -m benchmarks $(ARGS)

.venv/ready: LOCKED := requirements/dev.txt
.venv-bench/ready: LOCKED := requirements/bench.txt
.venv/ready: requirements/dev.txt
.venv-bench/ready: requirements/bench.txt
.venv/ready .venv-bench/ready: requirements/uv.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo 'Python 3.11, 3.12 or 3.13 is needed; say which with: make PYTHON=python3.12' >&2; exit 2; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(@D)/bin/uv pip install --quiet --compile-bytecode --python $(@D)/bin/python --require-hashes -r $(LOCKED)
	$(@D)/bin/uv pip install --quiet --python $(@D)/bin/python --no-deps --no-build-isolation --editable .
	touch $@

lock: .venv/ready
	cd requirements && PATH="../$(BIN):$$PATH" $(LOCK) uv.in -o uv.txt
	$(BIN)/$(LOCK) pyproject.toml -o requirements/run.txt
	$(BIN)/$(LOCK) requirements/build.in -c requirements/run.txt -o requirements/build.txt
	$(BIN)/$(LOCK) requirements/model.in -c requirements/run.txt -o requirements/model.txt
	$(BIN)/$(LOCK) pyproject.toml --group dev --extra spark -o requirements/dev.txt
	cp requirements/dev.txt requirements/bench.txt # its versions, wherever the tools compared with allow them
	$(BIN)/$(LOCK) pyproject.toml --group dev --extra bench -o requirements/bench.txt

generate: .venv/ready
	$(BIN)/python -m ml_compliance.decide._build
	$(BIN)/python -m ml_compliance.schemas
	$(BIN)/python -m ml_compliance.rulebook

clean:
	rm -rf .venv .venv-bench ml-compliance-demo ml-compliance-out .mypy_cache .pytest_cache .ruff_cache
