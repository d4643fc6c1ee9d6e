# Every habit is one command; `make help` lists them. CI runs `make check`, then `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The one folder outside the checkout: binaries, image layers, weights, package caches. `make clean` removes it.
export WHISPER_CACHE ?= $(HOME)/.cache/whisper-operator
export UV_CACHE_DIR ?= $(WHISPER_CACHE)/uv
# builtin (a real cluster without Docker), kind (needs Docker), existing (uses KUBECONFIG)
export CLUSTER ?= builtin
NODES ?= 2
NODE ?=
PYTHON ?= python3
BIN := .venv/bin
UV := $(WHISPER_CACHE)/tools/bin/uv
UV_VERSION := 0.13.9
PYTEST := $(BIN)/pytest
MEMBERS := models operator runtimes/core runtimes/cpu runtimes/npu
NATIVE := $(wildcard runtimes/cpu/native/*)

##@ Start here
.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z0-9-]*:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "Settings: CLUSTER=builtin|kind|existing NODES=2 WHISPER_CACHE=$(WHISPER_CACHE)"

.PHONY: demo
demo: ## From nothing to a transcript: cluster, images, chart, models, service, one request
	@$(PYTHON) scripts/demo.py up

.PHONY: demo-down
demo-down: ## Take the demo away; only WHISPER_CACHE stays
	@$(PYTHON) scripts/demo.py down

.PHONY: clean
clean: ## demo-down, then remove WHISPER_CACHE and everything built in the checkout
	@$(PYTHON) scripts/demo.py down
	rm -rf "$(WHISPER_CACHE)" .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

##@ Develop
.PHONY: setup
setup: .venv/.locked ## The Python environment, as locked, without torch

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python >= 3.11 is needed as $(PYTHON): apt-get install python3 python3-venv, or make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv "$(WHISPER_CACHE)/tools" || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	@"$(WHISPER_CACHE)/tools/bin/pip" install -q "uv==$(UV_VERSION)"

.venv/.locked: requirements.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml) $(NATIVE) | $(UV)
	@test -x $(BIN)/python || $(UV) venv -q --python $(PYTHON) .venv
	@$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps $(MEMBERS:%=-e %)
	@touch $@

.PHONY: check
check: setup ## Everything that needs no cluster and changes nothing: lint, types, import rules, generated files
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m scripts.generate --check
	$(BIN)/yamllint -s .
	@echo "check: all good"

.PHONY: fix
fix: setup ## Format, and mend what the linter can
	$(BIN)/ruff check -q --fix .
	$(BIN)/ruff format -q .

.PHONY: generate
generate: setup ## Write what is generated: crds/, the chart's copy, docs/reference/
	$(BIN)/python -m scripts.generate

.PHONY: golden
golden: setup ## Write the golden files anew; read the diff before committing it
	$(PYTEST) -q tests/golden --golden-update

.PHONY: lock
lock: | $(UV) ## Resolve dependencies again, keeping what still fits (UPGRADE="--upgrade" for the newest)
	$(UV) pip compile -q --universal --generate-hashes --no-header --python-version 3.11 $(UPGRADE) \
	  $(foreach p,models runtime operator cpu npu,--no-emit-package whisper-$(p)) $(MEMBERS:%=%/pyproject.toml) pyproject.toml \
	  --all-extras --group dev --group weights --group bench --group router -o requirements.lock

##@ Test
.PHONY: test
test: setup cluster-build images ## Unit, golden, contract, integration and e2e tests
	$(PYTEST)

.PHONY: test-fast
test-fast: setup ## Unit and golden tests: seconds
	$(PYTEST) -q tests/unit tests/golden

.PHONY: test-long
test-long: setup cluster-build images ## Every fault at length, two hours of mixed load (WHISPER_LOAD_SECONDS) and an hour of speech (WHISPER_SPEECH_SECONDS) on both engines, then all with kubeadm's timings: about three hours
	$(PYTEST) -m long
	WHISPER_CLUSTER_TIMINGS=kubeadm $(PYTEST) -m "long or not long" tests/e2e/faults

.PHONY: e2e
e2e: setup cluster-build images ## Only the tests on the cluster
	$(PYTEST) tests/e2e

##@ Cluster
.PHONY: cluster-build
cluster-build: ## Build the built-in cluster's binaries (about 15 minutes the first time on two cores)
	@$(PYTHON) -m tests.cluster build

.PHONY: cluster-up
cluster-up: ## Start the cluster: NODES=2
	@$(PYTHON) -m tests.cluster up --nodes $(NODES)

.PHONY: cluster-down
cluster-down: ## Stop the cluster and leave nothing behind
	@$(PYTHON) -m tests.cluster down

.PHONY: cluster-kill
cluster-kill: ## Lose a node at once, as a power cut would: NODE=node2
	@test -n "$(NODE)" || { echo "say which node: make cluster-kill NODE=node2" >&2; exit 2; }
	@$(PYTHON) -m tests.cluster kill $(NODE)

.PHONY: images
images: ## Build the container images that changed
	@$(PYTHON) scripts/images.py build

##@ Measure
.PHONY: bench-runtimes
bench-runtimes: setup ## Our runtimes against faster-whisper, whisper.cpp and OpenVINO GenAI
	@$(BIN)/python -m benchmarks.runtimes

.PHONY: bench-models
bench-models: setup ## Our conversions and downloads against optimum, whisper.cpp's tools and the Hub's client (5.7 GB once)
	@$(BIN)/python -m benchmarks.models

.PHONY: bench-operator
bench-operator: setup cluster-build ## 1,000 services on a real API server: creation, restart, rest, changes
	@$(BIN)/python -m benchmarks.operator

.PHONY: bench-failover
bench-failover: setup cluster-build images ## For each fault: requests lost, and time to the first good answer
	@$(BIN)/python -m benchmarks.failover

.PHONY: bench-router
bench-router: setup ## What the router adds: latency, requests a second, memory
	@$(BIN)/python -m benchmarks.router
