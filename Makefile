# Two commands do everything on a fresh machine: `make demo` and `make test`. Both install into .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install postgres chromium demo demo-mobilestylegan demo-coronetgan test test-slow notebooks lint docs bench clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/mfagan demo --out runs/demo

demo-mobilestylegan: install
	$(BIN)/mfagan mobilestylegan demo --out runs/demo-mobilestylegan

demo-coronetgan: install
	$(BIN)/mfagan coronetgan demo --out runs/demo-coronetgan

# A real server for the tests of studies on many machines. If it cannot be installed, they are skipped with that reason.
postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
	  { test "$$(id -u)" = 0 && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } || \
	  echo "PostgreSQL is missing and cannot be installed: as root, apt-get install postgresql"

# A real browser for the tests of the web page; skipped likewise.
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { test "$$(id -u)" = 0 && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } || \
	  echo "Chromium is missing and cannot be installed: as root, apt-get install chromium"

test: install postgres
	$(BIN)/pytest -n 2

test-slow: install postgres chromium
	$(BIN)/pytest -m slow
	$(BIN)/pytest --nbmake --nbmake-timeout=600 notebooks

# Each is run and saved with its outputs: figures as plotly draws them, and as pictures for where plotly is not.
notebooks: install chromium
	PLOTLY_RENDERER=plotly_mimetype+png PYTHONWARNINGS=ignore $(BIN)/jupyter execute --inplace \
	  --NotebookClient.record_timing=False notebooks/*.ipynb

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# Into site/, without network: warnings such as a dead link or an undocumented name are errors.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --clean

bench: install
	$(BIN)/python -m mfagan.sr.experiments.speed.bench --out runs/bench.json
	$(BIN)/mfagan benchmark --out runs/deployment.json
	$(BIN)/python -m search.benchmarks.overhead mfagan/sr/weights/exact.json --out runs/overhead.json
	$(BIN)/python -m search.benchmarks.racing mfagan/sr/weights/scores.npz --out runs/races.json
	$(BIN)/python -m search.benchmarks.compare mfagan/sr/weights/exact.json --out runs/samplers.json

clean:
	rm -rf .venv runs build dist site
