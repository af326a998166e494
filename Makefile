# make demo   sets up the environment and runs the whole pipeline at demo scale
# make test   sets up the environment, checks the code and runs the tests
# make bench  measures what a training step costs, and writes docs/benchmarks.md
# make lock   resolves envs/requirements.in anew into envs/requirements.lock

PYTHON ?= $(shell command -v python3.11 || command -v python3)
ENV := .venv
export PATH := $(CURDIR)/$(ENV)/bin:$(PATH)
export OMP_NUM_THREADS ?= 1

.PHONY: demo test check bench lock clean

demo: $(ENV)/ready
	@python scripts/run.py

test: $(ENV)/ready check
	pytest -n 2 --dist worksteal

check: $(ENV)/ready
	ruff check .
	ruff format --check .
	snakefmt --check --quiet Snakefile rules
	mypy
	snakemake --lint

bench: $(ENV)/ready
	@python benchmarks/training_step.py --output docs/benchmarks.md

$(ENV)/ready: envs/requirements.lock envs/setup.sh
	@PYTHON="$(PYTHON)" sh envs/setup.sh $(ENV) envs/requirements.lock
	@touch $@

lock:
	@PYTHON="$(PYTHON)" sh envs/lock.sh

clean:
	rm -rf $(ENV) results data .snakemake
