# make demo   sets up the environment and runs the whole pipeline at demo scale
# make test   sets up the environment, checks the code and runs the tests
# make clean  removes the environment and the demo; results of other scales stay
# make bench  measures training steps, the track store and scoring, and writes docs/benchmarks/
# make fault-test   attacks a run by kills, damage, wrong configurations, odd audio, forged files,
#                   hostile downloads and full disks, writes docs/reliability.md; makes each variant's step at paper width
# make mutation-test   changes the package in small ways, counts those that unit tests notice, and
#                      writes docs/mutation.md
# make gpu-test   holds a GPU to the CPU's results; needs torch, NumPy, safetensors and pytest alone
# make gpu-bench   measures training steps on a GPU and writes docs/benchmarks/gpu.md
# make cluster-test   runs the pipeline on a SLURM cluster that it brings up on this machine, as root
# make audit-demo   audits real networks and recordings, of packages that it installs, in results/audit/
# make settings   writes docs/config.md and schemas/config.schema.yaml from the declared settings
# make docs   builds the documentation as a site in site/, with MkDocs in an environment of its own
# make lock   resolves envs/requirements.in into envs/requirements.lock, on every supported Python
# The environment has the newest supported Python on PATH; make PYTHON=python3.11 takes another.

ENV := .venv
export PATH := $(CURDIR)/$(ENV)/bin:$(PATH)
export OMP_NUM_THREADS ?= 1
MEMORY := import os; print(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 2**20)

.PHONY: demo test check bench fault-test mutation-test gpu-test gpu-bench cluster-test audit-demo settings docs lock clean

# Models of the paper's size are probed one or a few at a time, as memory allows.
demo: $(ENV)/ready
	@snakemake --cores all --resources mem_mb=$$(python -c "$(MEMORY)") --quiet host reason rules

test: $(ENV)/ready check
	pytest -n 2 --dist worksteal -q tests/unit
	pytest -n 2 --dist worksteal -q --device cpu tests/gpu
	pytest -q tests/workflow

fault-test: $(ENV)/ready
	pytest -n 2 --dist worksteal -m "not slow" --ignore tests/faults/test_attacks.py \
		--ignore tests/faults/test_config_mutants.py tests/faults
	pytest -q tests/faults/test_attacks.py tests/faults/test_config_mutants.py
	pytest -s -m slow tests/faults

mutation-test: $(ENV)/ready-for-audits
	PYTHONPATH=tests/support python tests/mutation/run.py --output docs/mutation.md

gpu-test: $(ENV)/ready
	pytest -q -s tests/gpu

gpu-bench: $(ENV)/ready
	@python benchmarks/gpu.py --output docs/benchmarks/gpu.md

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

audit-demo: $(ENV)/ready-for-audits
	@PYTHONPATH=scripts python examples/audit/prepare.py data/audit
	@snakemake audits --configfile examples/audit/demo.yaml --cores all --keep-going --quiet host reason rules
	@cat results/audit/tables/audits.md
	@echo "Pages: $(CURDIR)/results/audit/audits/*/page.html"

$(ENV)/ready-for-audits: $(ENV)/ready envs/audit.lock
	@pip install --disable-pip-version-check -q --no-deps --require-hashes -r envs/audit.lock
	@touch $@

settings: $(ENV)/ready
	@PYTHONPATH=scripts python docs/export_settings.py

docs: .venv-docs/ready
	@.venv-docs/bin/mkdocs build --strict

.venv-docs/ready: envs/docs.txt
	@python3 -m venv --clear .venv-docs
	@.venv-docs/bin/pip install --disable-pip-version-check -q -r envs/docs.txt
	@touch $@

lock:
	@python3.11 envs/lock.py

clean:
	rm -rf $(ENV) data/demo logs/demo results/demo
