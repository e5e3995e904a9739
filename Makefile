# Each target sets up what it needs by itself; `make help` lists them. Paths are relative to this file on purpose:
# make cannot hold a folder name with a space in a target.

.DEFAULT_GOAL := help
SHELL := /bin/sh
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
VENV_PYTHON := $(VENV)/bin/python

# Stamps are named by the content of the requirements, so that a changed pin installs again and a new checkout date
# does not.
RUN_STAMP := $(VENV)/ready-run-$(shell cat requirements.txt | cksum | tr ' ' -)
DEV_STAMP := $(VENV)/ready-dev-$(shell cat requirements.txt requirements-dev.txt | cksum | tr ' ' -)

# A stamp says nothing once the Python below the environment was removed or upgraded.
BROKEN := $(shell $(VENV_PYTHON) -c 'import pip' >/dev/null 2>&1 || echo rebuild)

PYTHONS := $(if $(PYTHON),"$$PYTHON",python3 python3.13 python3.12 python3.11 python3.14 python)

# $(1): the requirements file. The `installing` file outlives an install that was killed or interrupted, whose
# half-written packages pip would take for complete ones: the environment is then built anew. After a plain failure
# (no network, say) it stays as it is, with what a person put there first.
define install
	@if [ -n "$(BROKEN)" ] || [ -e $(VENV)/installing ]; then \
	    python=''; \
	    for candidate in $(PYTHONS); do \
	        if "$$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	        then python=$$candidate; break; fi; \
	    done; \
	    if [ -z "$$python" ]; then \
	        echo "Edgewise needs Python 3.11 or newer with its venv module (Debian, Ubuntu: the python3-venv package)." >&2; \
	        echo "Tried:" $(PYTHONS) >&2; \
	        echo "Name one yourself: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; \
	    fi; \
	    [ ! -e $(VENV)/installing ] || echo "The last installation was interrupted: starting again."; \
	    echo "Creating $(VENV) with $$("$$python" --version)"; \
	    "$$python" -m venv --clear $(VENV); \
	fi
	@rm -f $(VENV)/ready-*
	@touch $(VENV)/installing
	@echo "Installing $(1) into $(VENV) (the first time takes minutes)"
	@trap 'exit 130' INT TERM; \
	$(VENV_PYTHON) -m pip install --no-input -r $(1) || { rm -f $(VENV)/installing; exit 1; }; \
	rm -f $(VENV)/installing
endef

.PHONY: help run test lint setup clean rebuild

help:
	@echo "make run    start the dashboard (PORT=8502, ADDRESS=127.0.0.1, ARGS='more streamlit options')"
	@echo "make test   lint, types and tests (ARGS='more pytest options', such as '-n 0': one after another)"
	@echo "make lint   lint and types only"
	@echo "make setup  only install what run and test need"
	@echo "make clean  remove the virtual environment and the caches; runs/ stays"
	@echo "PYTHON=...  which Python (3.11 or newer) builds $(VENV)"

run: $(RUN_STAMP)
	@exec $(VENV_PYTHON) -m streamlit run app.py $(if $(PORT),--server.port '$(PORT)') \
	    $(if $(ADDRESS),--server.address '$(ADDRESS)') $(ARGS)

lint: $(DEV_STAMP)
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy

# A file stays with one worker, and files start in the order of their names: xdist's own order keeps those with few
# tests for the end, and these are the long ones, on which one worker waits for the other.
test: lint
	$(VENV_PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

setup: $(DEV_STAMP)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
	find . -name runs -prune -o -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_STAMP): $(BROKEN)
	$(call install,requirements.txt)
	@touch $(RUN_STAMP)

$(DEV_STAMP): $(BROKEN)
	$(call install,requirements-dev.txt)
	@touch $(RUN_STAMP) $(DEV_STAMP)
