# Everything a newcomer types. `make help` lists the targets; nothing here asks questions.
.DEFAULT_GOAL := help
.PHONY: help run logins test check bench eval record demo lock licences readme

export LINESIDE_HOME ?= $(CURDIR)/.lineside
SHELL := /bin/bash
PYTHON_BIN := .venv/bin
# Suites on real manuals, when they lie beside the checkout.
SHARED := ../shared/data
SHARED_SUITES := $(if $(wildcard $(SHARED)/suites),--suites $(SHARED)/suites \
	--documents $(SHARED)/manuals --documents $(SHARED)/zh-faq)

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1|\2/' | column -t -s '|'

run: ## set up, load the demonstration plant, start model and application; Ctrl-C ends all
	@scripts/setup app vllm
	@exec $(PYTHON_BIN)/lineside run

logins: ## give the users of the demonstration new passwords and show them
	@$(PYTHON_BIN)/lineside users demo

test: ## set up everything, then all tests: fast, slow, browser and live
	@scripts/setup dev vllm browser
	@$(PYTHON_BIN)/lineside models fetch
	@$(PYTHON_BIN)/pytest --durations=10

check: ## lint, types and fast tests, for every change
	@scripts/setup dev
	@$(PYTHON_BIN)/ruff check
	@$(PYTHON_BIN)/ruff format --check
	@$(PYTHON_BIN)/mypy
	@$(PYTHON_BIN)/pytest -q -m "not slow and not browser and not live"

bench: ## measure this machine, Lineside beside its peers
	@scripts/setup app vllm
	@$(PYTHON_BIN)/lineside models fetch
	@$(PYTHON_BIN)/lineside bench

eval: ## measure answers on every suite, Lineside beside its peers; goes on where it stopped
	@scripts/setup app vllm
	@$(PYTHON_BIN)/lineside models fetch
	@$(PYTHON_BIN)/lineside eval all --report $(LINESIDE_HOME)/eval/reports $(SHARED_SUITES)

record: ## ask the model again what `make test` replays, and pin the figures
	@scripts/setup app vllm
	@$(PYTHON_BIN)/lineside models fetch
	@$(PYTHON_BIN)/lineside eval record

demo: ## build the demonstration plant's manuals again
	@scripts/setup dev
	@$(PYTHON_BIN)/python demo/build.py

lock: ## renew requirements/*.txt, keeping the versions that still fit
	@scripts/setup dev
	@scripts/lock

licences: ## renew the tables of docs/licences.md
	@scripts/setup dev vllm
	@$(PYTHON_BIN)/python scripts/licences.py

readme: ## renew the map of files in README.md
	@$(PYTHON_BIN)/python scripts/file_map.py
