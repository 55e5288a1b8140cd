# Two commands do everything on a fresh machine: `make demo` and `make test`. Both install into .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test test-slow lint bench clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/mfagan demo --out runs/demo

test: install
	$(BIN)/pytest -n 2

test-slow: install
	$(BIN)/pytest -m slow
	$(BIN)/pytest --nbmake --nbmake-timeout=600 notebooks

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: install
	$(BIN)/python -m mfagan.sr.bench --out runs/bench.json

clean:
	rm -rf .venv runs build dist
