# make demo   sets up the environment and runs the whole pipeline at demo scale
# make test   sets up the environment, checks the code and runs the tests
# make clean  removes the environment and the demo; results of other scales stay
# make bench  measures training steps, the track store and scoring, and writes docs/benchmarks/
# make fault-test   attacks a run by kills, damage, wrong configurations, odd audio, forged files and
#                   full disks, writes docs/reliability.md; makes each variant's step at paper width
# make cluster-test   runs the pipeline on a SLURM cluster that it brings up on this machine, as root
# make settings   writes docs/config.md and schemas/config.schema.yaml from the declared settings
# make lock   resolves envs/requirements.in into envs/requirements.lock, on every supported Python
# The environment has the newest supported Python on PATH; make PYTHON=python3.11 takes another.

ENV := .venv
export PATH := $(CURDIR)/$(ENV)/bin:$(PATH)
export OMP_NUM_THREADS ?= 1
MEMORY := import os; print(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 2**20)

.PHONY: demo test check bench fault-test cluster-test settings lock clean

# Models of the paper's size are probed one or a few at a time, as memory allows.
demo: $(ENV)/ready
	@snakemake --cores all --resources mem_mb=$$(python -c "$(MEMORY)") --quiet host reason rules

test: $(ENV)/ready check
	pytest -n 2 --dist worksteal -q tests/unit
	pytest -q tests/workflow

fault-test: $(ENV)/ready
	pytest -n 2 --dist worksteal -m "not slow" --ignore tests/faults/test_attacks.py \
		--ignore tests/faults/test_config_mutants.py tests/faults
	pytest -q tests/faults/test_attacks.py tests/faults/test_config_mutants.py
	pytest -s -m slow tests/faults

cluster-test: $(ENV)/ready
	pytest -q --durations 0 tests/cluster

check: $(ENV)/ready
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	mypy
	snakemake --lint

bench: $(ENV)/ready
	@python benchmarks/training_step.py --output docs/benchmarks/training_step.md
	@python benchmarks/store.py --output docs/benchmarks/store.md
	@python benchmarks/scoring.py --output docs/benchmarks/scoring.md

$(ENV)/ready: envs/requirements.lock envs/setup.sh
	@sh envs/setup.sh $(ENV) envs/requirements.lock

settings: $(ENV)/ready
	@PYTHONPATH=scripts python docs/export_settings.py

lock:
	@python3.11 envs/lock.py

clean:
	rm -rf $(ENV) data/demo logs/demo results/demo
