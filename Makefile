# Everything that is done with this checkout. `make` alone explains.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
JOBS ?= 2
PYTEST := $(PY) -m pytest
PIP := $(PY) -m pip install --disable-pip-version-check --no-input -q --require-hashes

checksum = $(shell cksum < $(1) | cut -d ' ' -f 1)
INSTALLED := $(VENV)/.installed-$(call checksum,requirements.lock)
TESTABLE := $(VENV)/.testable-$(call checksum,requirements-test.lock)

# Hundreds of processes are started by the tests: each would compile this checkout anew where bytecode is not kept.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test install check fix bench soak lock clean
.DEFAULT_GOAL := help

help: ## Say what can be made
	@echo "pangate: the federated catalogue of photon and neutron facilities. What can be made here:"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)
	@echo
	@echo "Variables: PANGATE_PORT (of make run, 8080), PYTHON (what makes the environment, $(PYTHON)), JOBS (of make test, $(JOBS))."

run: $(INSTALLED) ## Run the whole demo on this machine: two facilities, a hub, sign-in, the page; Ctrl-C ends it
	@$(PY) -m demo

test: $(TESTABLE) ## Everything CI runs: style, types, all tests (with reasons for what was skipped)
	$(check)
	$(PYTEST) -q -n $(JOBS) --dist loadfile --no-loadscope-reorder

install: $(INSTALLED) ## Make the environment in .venv from the lock; nothing is started

check: $(TESTABLE) ## Style and types only: a minute, before a commit
	$(check)

fix: $(TESTABLE) ## Mend what the style tools can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(TESTABLE) ## Measure, as ratios within one run
	$(PY) -m benchmarks

soak: $(TESTABLE) ## The long forms of the suites: hours, not minutes
	PANGATE_SOAK=1 $(PYTEST) -q --hypothesis-profile=soak --timeout=7200

lock: ## Choose versions anew from requirements*.in (needs uv)
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" requirements-test.in -o requirements-test.lock
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" requirements-demo.in -c requirements-test.lock -o requirements.lock

clean: ## Remove the environment and the demo's folder (not your data in var/)
	rm -rf $(VENV) .demo

define check
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
endef

$(PY):
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "Python's venv module is needed (on Debian: apt install python3-venv)." >&2; exit 1; }

$(INSTALLED): | $(PY)
	@echo "Installing what pangate and its demo need into $(VENV) (once, about a minute) ..."
	@$(PIP) -r requirements.lock
	@printf '#!/bin/sh\n# Made by make install: pangate from this checkout, in any folder.\nexport PYTHONPATH="%s$${PYTHONPATH:+:$$PYTHONPATH}" PYTHONSAFEPATH=1\nexec "%s" -m pangate "$$@"\n' \
		'$(CURDIR)' '$(CURDIR)/$(PY)' > $(VENV)/bin/pangate
	@chmod +x $(VENV)/bin/pangate
	@rm -f $(VENV)/.installed-* && touch $@

$(TESTABLE): $(INSTALLED)
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) -r requirements-test.lock
	@rm -f $(VENV)/.testable-* && touch $@
