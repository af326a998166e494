import sys
from functools import cache
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from upsampling import environment, slurm
from upsampling.experiment import Experiment
from upsampling.paper.gallery.spec import gallery_seeds, gallery_signals, gallery_spec
from upsampling.settings import UserError, canonical

try:
    EXPERIMENT = Experiment(config)
    GALLERY = gallery_spec(EXPERIMENT)
    environment.prepare(
        {str(m) for m in workflow.deployment_settings.deployment_method}
    )
except UserError as error:
    sys.exit(f"error: {error}")

RESULTS = f"results/{EXPERIMENT.scale}"
LOGS = f"logs/{EXPERIMENT.scale}"
DATA = EXPERIMENT.data
STORE = str(Path(DATA.get("store", Path(DATA["root"], "store")), "manifest.json"))
ENVIRONMENT = "../envs/upsampling.yaml"
PACKAGE = "scripts/upsampling"
STAGES = ["initialised", "trained"]


wildcard_constraints:
    variant="[a-z][a-z0-9_]*",
    seed="[0-9]+",
    side="left|right",


def package(*names):
    """Files of the package's modules and rooms, for rules that run again when their code changes."""
    paths = [Path(PACKAGE, name) for name in names]
    rooms = [sorted(map(str, path.glob("*.py"))) for path in paths if path.is_dir()]
    return [f"{path}.py" for path in paths if not path.is_dir()] + sum(rooms, [])


def folder(name):
    """A param function: the folder of the rule's output `name`, which its program fills."""

    def parent(wildcards, output):
        first = output[name] if isinstance(output[name], str) else output[name][0]
        return str(Path(first).parent)

    return parent


def runs(pattern, **wildcards):
    """The pattern for every training run: each trained variant with each seed."""
    return expand(
        pattern, variant=EXPERIMENT.trained, seed=EXPERIMENT.seeds, **wildcards
    )


def one_of(variants):
    """A wildcard's pattern for `variants` alone; with none of them, one that nothing matches."""
    return "|".join(variants) or "(?!)"


def surveys():
    """The artifact measures of every variant, trained or not, with every seed."""
    path = rules.survey.output.measures
    return expand(path, variant=EXPERIMENT.variants, seed=EXPERIMENT.seeds)


def score_files():
    """The options that name the scores of each run, for programs about tables."""
    options = []
    for variant, seed in product(EXPERIMENT.trained, EXPERIMENT.seeds):
        path = rules.score.output.scores.format(variant=variant, seed=seed)
        options += ["--scores", variant, seed, path]
    return options


def table_files():
    """The table program's options that name each run's files."""
    options = score_files()
    for variant, seed in product(EXPERIMENT.trained, EXPERIMENT.seeds):
        run = {"variant": variant, "seed": seed}
        options += ["--history", variant, seed, rules.train.output.timing.format(**run)]
    for variant in EXPERIMENT.trained:
        run = {"variant": variant, "seed": EXPERIMENT.seeds[0]}
        for path in (
            rules.train.output.spec,
            rules.probe_initialised.output.parameters,
        ):
            options += ["--parameters", variant, path.format(**run)]
    return options


@cache
def wait_for_earlier_calls():
    """Return when SLURM has no more jobs of a Snakemake that was killed in this folder.

    Where another Snakemake is at work here (its lock says so), the jobs are not left alone, and
    Snakemake will refuse to start by itself.
    """
    submits = workflow.executor_plugin and workflow.executor_plugin.name == "slurm"
    if submits and not any(Path(".snakemake/locks").glob("*")):
        slurm.wait_for_calls(Path.cwd(), lambda line: print(line, file=sys.stderr))


def after_earlier_calls(paths):
    """An input function: `paths`, once no job of an earlier call writes files any more.

    Input functions are called when it is known that this is not a dry run, and before it is
    decided what is left to do.
    """

    def inputs(wildcards):
        wait_for_earlier_calls()
        return paths

    return inputs


def failures():
    """What to say when jobs failed for good: which ones, and where to read why."""
    failed = getattr(workflow.scheduler, "failed", ())
    jobs = [job for one in failed for job in getattr(one, "jobs", [one])]
    lines = [f"\n{len(failed)} jobs failed for good; what does not need them is done:"]
    for job in sorted(jobs, key=str):
        values = ", ".join(f"{k} {v}" for k, v in job.wildcards_dict.items())
        logs = ", ".join(map(str, job.log))
        lines.append(f"  {job.rule.name} ({values}): see {logs or LOGS}")
    return "\n".join(lines)
