# The course's commands; `make` lists them. README.md shows the same without make.
BIN = $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
# The first Python on the path that is new enough; name another with `make lab PYTHON=...`
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
READY = .venv/.ready
# Jupyter refuses to run as root unless told so; in a container that is the usual case.
LAB = $(BIN)/jupyter lab --ServerApp.root_dir=. $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)
FLOOR = build/floor
# PyTorch's threads sleep when they have waited a little. Spinning on, they slow down whatever else runs on a small
# machine; asleep at once, they are late for the many short tasks of a detector.
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 10000

.PHONY: help lab check test lint notebooks book lock test-floor clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-11s %s\n", $$1, $$2 }'

lab: $(READY) ## open the course in JupyterLab; the first time this sets everything up
	@echo "Opening lesson 00 in JupyterLab. Stop it with Ctrl-C in this window."
	@$(LAB) notebooks/00_start_here.ipynb $(LAB_ARGS)

SPREAD = -q -n auto --dist worksteal
# One thread for each of the processes that test side by side; what pytest compiles is kept, also where Python was told not to
check test test-floor: export OMP_NUM_THREADS = 1
check test test-floor: export PYTHONDONTWRITEBYTECODE =

check: lint ## style and the quick tests, in a minute; LESSON=08 adds that notebook's form and its run
	@$(if $(LESSON),$(BIN)/python tools/lesson_form.py $(LESSON:%=notebooks/%_*.ipynb))
	@echo "== Quick tests, one process a processor"
	@$(BIN)/python -m pytest $(SPREAD) -m "not slow and not browser"
	@$(if $(LESSON),$(BIN)/python tools/notebooks.py test $(LESSON))

test: lint ## everything: style, all tests, then every notebook (less than half an hour)
	@echo "== Tests, one process a processor: minutes"
	@$(BIN)/python -m pytest $(SPREAD) -m "not browser" --durations=10
	@echo "== JupyterLab and the book in one browser: minutes"
	@$(BIN)/python -m pytest -q -m browser
	@echo "== Notebooks, each from top to bottom in a fresh kernel, side by side: about 15 minutes on 2 cores"
	@$(BIN)/python tools/notebooks.py test

lint: $(READY) ## check style only (seconds)
	@echo "== Style: ruff"
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

notebooks: $(READY) ## execute notebooks and store their outputs: all, or LESSON=07, or LESSON="00 07"
	@$(BIN)/python tools/notebooks.py run $(LESSON)

book: $(READY) ## build the course's website from the stored notebooks: build/book/html (half a minute)
	@$(BIN)/python tools/book.py $(BOOK_ARGS)

lock: $(READY) ## renew requirements.lock with the newest versions that pyproject.toml allows
	@echo "Resolving the newest versions for every platform: about a minute"
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra workbench --extra dev --extra book \
		--generate-hashes --no-header --no-annotate --no-emit-index-url \
		pyproject.toml --output-file requirements.lock

test-floor: $(READY) ## run the unit tests with the oldest versions that pyproject.toml allows (Python 3.11)
	@echo "Building $(FLOOR) with the oldest allowed versions: minutes, and several GB"
	@$(BIN)/uv venv --quiet --clear --python 3.11 $(FLOOR)
	@$(BIN)/uv pip install --quiet --python $(FLOOR) --resolution lowest-direct -e ".[workbench,dev,book]"
	@$(FLOOR)/bin/python -m pytest $(SPREAD)

clean: ## remove .venv and everything else that these commands made
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis seglib.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml data/carried.json
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found. Install one, or name it: make lab PYTHON=python3.12"; exit 1; }
	@$(PYTHON) tools/install.py
