# Every target sets up what it needs first; nothing is installed outside .venv, .lab and the cache.
PYTHON ?= python3
BIN := .venv/bin
STACK ?=
# What .venv holds is compiled once, when it is first imported, also for those who leave no bytecode.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up down status preview check test unit contract guard lab schema drill bench clean

help:  ## these commands
	@sed -nE 's/^([a-z ]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "make %-16s %s\n", $$1, $$2}'

up down: .venv/installed  ## run the dev stack in the lab on this machine; undo it
	@$(BIN)/python -m lab $@

status: .venv/installed  ## what of the lab runs, and the stack's outputs
	@$(BIN)/python -m lab status || test $$? = 3  # 3: not all of it runs, which has been told

preview: .venv/installed  ## what each stack would create, without credentials; STACK=eks for one
	@$(BIN)/python -m lab preview $(STACK)

check: .venv/installed  ## what needs no cluster: style, types, scripts, unit and contract tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	git ls-files -z '*.sh' .ci/run | xargs -0 $(BIN)/shellcheck
	$(BIN)/pytest -n auto tests/unit tests/contract

test: check guard lab  ## everything

unit contract: .venv/installed  ## one kind of test
	$(BIN)/pytest tests/$@

# One at a time: three on two cores made answers slower than the guard waits, and cases failed.
guard: .venv/installed  ## nodes that are cut off, and what a drill runs in a pod; as root
	$(BIN)/pytest tests/guard

# Four labs at a time, also on fewer cores: most of a test is waiting for Kubernetes.
lab: .venv/installed  ## the tests that run a control plane
	@$(BIN)/python -m lab build
	$(BIN)/pytest -n 4 --dist worksteal tests/lab

schema: .venv/installed  ## write stacks/stack.schema.json and docs/settings.md from the settings
	$(BIN)/python -m stacks.schema

drill: .venv/installed  ## break one thing and measure; SCENARIO=pod-deleted STACK=dev
	$(BIN)/python -m drills $(or $(SCENARIO),list) $(if $(SCENARIO),--stack $(or $(STACK),dev))

bench: .venv/installed  ## times beside their floors: previews, imports, growth, lab; writes docs/benchmarks.md
	$(BIN)/python -m bench --page

clean: down  ## remove the lab and the virtual environment
	rm -rf .venv

# The stamp is written last: an installation that was cut short starts anew.
.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ha-iris: $(PYTHON) is Python " + sys.version.split()[0] + ": 3.11 or newer is needed; make PYTHON=python3.12 ...")'
	@echo "Installing the Python packages into .venv (half a minute; minutes where only pip reaches them) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep ^uv== requirements-dev.txt)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt \
		|| $(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
