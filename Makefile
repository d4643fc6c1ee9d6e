# Every habit is one command; `make help` lists them. CI runs `make check`, then `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

# The one folder outside the checkout: binaries, image layers, weights, package caches. `make clean` removes it.
export WHISPER_CACHE ?= $(HOME)/.cache/whisper-operator
export UV_CACHE_DIR ?= $(WHISPER_CACHE)/uv
export CLUSTER ?= builtin
NODES ?= 2
PY := .venv/bin/python
LOCK := uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
  $(foreach p,models runtime operator cpu,--no-emit-package whisper-$(p)) \
  operator/pyproject.toml models/pyproject.toml runtimes/core/pyproject.toml runtimes/cpu/pyproject.toml pyproject.toml \
  --all-extras --group dev --group weights --group bench --group router -o requirements.lock
