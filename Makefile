# Two commands for everybody, each enough on a fresh machine with Python
# 3.11 or newer:
#
#   make demo   a registration in the napari window; without a screen the
#               same, written to demo_output/
#   make test   every check there is: style, types, manifest, tests, wheel
#
# And for developers: make venv, lint, types, manifest, unit, wheel,
# wheel-check, format, screenshots, bench, clean.

SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
ENV := $(VENV)/.installed
SYSTEM := $(VENV)/.system-packages

# The first Python that is new enough, looked for when it is needed.
PYTHON = $(shell .ci/find-python)

# Tests and pictures get a screen of their own where Xvfb can make one.
OFFSCREEN = QT_API=pyqt6 PYTEST_QT_API=pyqt6 LIBGL_ALWAYS_SOFTWARE=1 $(if \
	$(shell command -v xvfb-run),xvfb-run -a -s "-screen 0 1280x1024x24 +extension GLX")

.NOTPARALLEL:
.PHONY: help demo test venv lint format types manifest unit coverage wheel \
	wheel-check screenshots bench clean

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

# ---- the environment -------------------------------------------------------

venv: $(ENV)

$(SYSTEM): .ci/system-packages
	.ci/system-packages
	@mkdir -p $(VENV)
	@touch $@

# torch first and alone, so that a CPU build offered by PIP_FIND_LINKS or
# PIP_EXTRA_INDEX_URL is the one that stays.
$(ENV): $(SYSTEM) pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo 'napari-adacs needs Python 3.11 or newer.' >&2; exit 1; }
	@echo 'Installing into $(VENV); the first time takes some minutes.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt torch
	$(BIN)/python -m pip install -q -c constraints.txt -e . --group dev
	@touch $@

# ---- see it ----------------------------------------------------------------

demo: $(ENV)
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
		$(BIN)/napari-adacs demo; \
	else \
		$(OFFSCREEN) $(BIN)/napari-adacs demo --headless -o demo_output; \
	fi

# ---- check it --------------------------------------------------------------

test: lint types manifest unit wheel-check

lint: $(ENV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(ENV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(ENV)
	$(BIN)/mypy

manifest: $(ENV)
	$(BIN)/npe2 validate --imports napari-adacs

unit: $(ENV)
	$(OFFSCREEN) $(BIN)/python -m pytest $(ARGS)

coverage: $(ENV)
	$(OFFSCREEN) $(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

wheel: $(ENV)
	@rm -rf dist
	$(BIN)/python -m build --no-isolation > $(VENV)/build.log 2>&1 || { cat $(VENV)/build.log; exit 1; }
	@ls -l dist

wheel-check: wheel
	.ci/check-wheel $(BIN)/python dist/*.whl

# ---- make things -----------------------------------------------------------

# The demo is the journey of the README: its window is the picture there.
screenshots: $(ENV)
	$(OFFSCREEN) $(BIN)/napari-adacs demo --headless -o demo_output
	cp demo_output/screenshot.png docs/images/register.png
	$(BIN)/python recipes/phantom_picture.py
	$(OFFSCREEN) $(BIN)/python recipes/evaluate_picture.py
	$(OFFSCREEN) $(BIN)/python recipes/finetune_picture.py
	$(OFFSCREEN) $(BIN)/python recipes/review_picture.py
	$(OFFSCREEN) $(BIN)/python recipes/review_view_pictures.py

bench: $(ENV)
	@for script in benchmarks/bench_*.py; do \
		echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

clean:
	rm -rf build dist demo_output .mypy_cache .pytest_cache .ruff_cache .hypothesis
