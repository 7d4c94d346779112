# The commands of README.md, for people who have make. There is no logic here that is not
# there too.
#
#   make report   executes the notebooks and writes report/hw2.pdf
#   make test     checks code, tests and notebooks
#   make sync     makes the .py and the .ipynb of each pair the same
#   make lab      opens JupyterLab
#   make pdf      writes the two PDFs from the notebooks as they are
#   make env      sets up the environment, which the others do by themselves
#   make clean    removes what can be made again, the environment too

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
FRONT = report/report.ipynb
PAGES = $(FRONT) report/appendix.ipynb
TO_PDF = $(BIN)/jupyter nbconvert --to report.exporter.ReportPDFExporter $(FRONT)

.PHONY: help report test sync lab pdf env clean

help:
	@sed -n 's/^#   //p' Makefile

report: sync
	$(BIN)/python -m report.execute notebooks/*.ipynb $(PAGES)
	$(MAKE) --no-print-directory pdf

test: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pytest
	$(BIN)/pytest --doctest-modules --ignore-glob='*_test.py' helpers/
	$(BIN)/pytest --nbval notebooks/

sync: env
	$(BIN)/jupytext --sync notebooks/* $(PAGES)

lab: env
	$(BIN)/jupyter lab

pdf: env
	$(TO_PDF) --output hw2
	$(TO_PDF) --output hw2_with_code --ReportPDFExporter.show_code=True
	$(BIN)/python -m report.results

env: $(VENV)/installed

# Made again only when the requirements have changed.
$(VENV)/installed: requirements.lock requirements.txt
	@$(PYTHON) -c 'import sys; version = sys.version_info[:2]; sys.exit(None if (3, 11) <= version <= (3, 13) else "$(PYTHON) is Python %d.%d, but TensorFlow needs 3.11, 3.12 or 3.13 here. Name another one: make PYTHON=python3.11 ..." % version)'
	@echo "Setting up $(VENV) (2 GB, some minutes at the first time)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	@touch $@

clean:
	rm -rf $(VENV)
	rm -rf .pytest_cache .ruff_cache */__pycache__ __pycache__ notebooks/.ipynb_checkpoints
