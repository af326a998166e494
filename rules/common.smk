from functools import cache

from upsampling import deployment, earlier_calls, slurm
from upsampling.code_fingerprint import program_fingerprint
from upsampling.config.experiment import Experiment
from upsampling.config.mapping import canonical
from upsampling.model_check import check_models
from upsampling.figures.plan import before_after, figure1_trained, grid, plan
from upsampling.gallery.settings import gallery_content, gallery_seeds, gallery_signals
from upsampling.tables import plan as table_plan
from upsampling.tracks import listing


def told(line):
    """Print a line about something that happens before any job."""
    print(line, file=sys.stderr, flush=True)


try:
    EXPERIMENT = Experiment(config)
    FIGURES = plan(EXPERIMENT)
    GALLERY = gallery_content(EXPERIMENT)
    ALONE = False
    if workflow.is_main_process:
        outputs = [Path(name, EXPERIMENT.scale) for name in ("results", "logs")]
        deployment.require_room(Path(".snakemake"), outputs)
        check_models(EXPERIMENT, SCRIPTS, Path(".snakemake/checked_models.json"))
        listing.refresh(
            Path(EXPERIMENT.data.store, "dataset.json"),
            Path(EXPERIMENT.data.root),
            told,
        )
        ALONE = earlier_calls.join_calls(Path(".snakemake"), told)
    METHODS = {str(m) for m in workflow.deployment_settings.deployment_method}
    deployment.prepare(SCRIPTS, METHODS)
    NO_LATEX = deployment.without_latex(METHODS)
except UserError as error:
    sys.exit(f"error: {error}")

DATA = EXPERIMENT.data
ENVIRONMENT = "../envs/upsampling.yaml"


pathvars:
    results=f"results/{EXPERIMENT.scale}",
    logs=f"logs/{EXPERIMENT.scale}",
    benchmarks=f"results/{EXPERIMENT.scale}/benchmarks",
    store=DATA.store,


wildcard_constraints:
    variant="[a-z][a-z0-9_]*",
    seed="[0-9]+",
    side="left|right",
    stage="initialised|trained",


def shown(command):
    """A shell command whose messages are shown and written to the job's log.

    A log that cannot be written, as on a full disk, does not make the job fail.
    """
    return f"{command} 2>&1 | (tee {{log:q}} || true)"


def quiet(command):
    """A shell command whose messages are written to the job's log only."""
    return f"{shown(command)} > /dev/null"


# Of a program and of all modules that it imports, computed once per call.
fingerprint = cache(program_fingerprint)


def code(program):
    """A param function: the program's fingerprint.

    Its rule reruns when that code changes, but not for comments, layout or file times.
    """
    return lambda wildcards: fingerprint(SCRIPTS / program)


def located(pattern):
    """A param function: `pattern` with its directories and the job's wildcards filled in.

    The program fills in the other names in braces.
    """
    return lambda wildcards: expand(
        workflow.pathvars.apply(str(pattern)), allow_missing=True, **wildcards
    )[0]


def folder(name):
    """A param function: the folder of the rule's output `name`, which its program fills."""
    return lambda wildcards, output: str(Path(output[name]).parent)


def runs(pattern):
    """The pattern for every training run: each trained variant with each seed."""
    return expand(pattern, variant=EXPERIMENT.trained, seed=EXPERIMENT.seeds)


def scored(pattern):
    """The pattern for every model that is scored: of each training run, and the repaired ones."""
    return expand(pattern, variant=EXPERIMENT.scored, seed=EXPERIMENT.seeds)


def trained_original(name):
    """An input function: a file of the run whose model is repaired."""
    return (
        lambda w: f"<results>/models/{EXPERIMENT.repaired[w.variant].of}/seed{w.seed}/{name}"
    )


def per_signal(pattern, **wildcards):
    """The pattern for each probe signal, and the given stages or kinds."""
    return expand(pattern, signal=EXPERIMENT.signals, allow_missing=True, **wildcards)


def per_seed(pattern):
    """The pattern for each seed of a variant that is not trained."""
    return expand(pattern, seed=EXPERIMENT.seeds, allow_missing=True)


def reported(path, caption, category, **labels):
    """An output that Snakemake's report shows, with a caption of the folder report/."""
    return report(
        path, caption=f"../report/{caption}.rst", category=category, labels=labels
    )


def initialised(variants):
    """Outputs of the variants' models at initialisation."""
    return expand(rules.render_initialised.output.arrays, variant=variants)


def stacks(figure, *kinds):
    """Outputs of both stacks of a figure, or their predictions."""
    patterns = [rules.render_stack.output[kind] for kind in kinds]
    return expand(patterns, figure=figure, side=["left", "right"])


def one_of(variants):
    """A wildcard's pattern for `variants` alone; without any, a pattern without matches."""
    return "|".join(sorted(variants)) or "(?!)"


@cache
def settle_earlier_calls():
    """Return when no job of a Snakemake that was killed in this folder is running any more.

    Jobs of another Snakemake that is running here are not waited for: Snakemake then refuses to
    start. A track store that other settings prepared is given up.
    """
    if ALONE and workflow.executor_plugin and not workflow.dryrun:
        try:
            earlier_calls.end_orphans(told)
        except UserError as error:
            raise WorkflowError(str(error))
        if workflow.executor_plugin.name == "slurm":
            slurm.wait_for_snakemake_jobs(Path.cwd(), told)
        manifest = Path(DATA.store, "manifest.json")
        settings = DATA.preparation(EXPERIMENT.samplerate)
        listing.require_settings(manifest, settings, told)


def after_earlier_calls(paths):
    """`paths`, once no job of an earlier call writes files any more; for an input function.

    Snakemake calls input functions after it has recognised a dry run, and before it decides which
    jobs are needed.
    """
    settle_earlier_calls()
    return paths


def finished():
    """The message after a run without failures."""
    results = Path(workflow.pathvars.get("results")).resolve()
    page = Path(workflow.pathvars.apply(rules.gallery.output.html)).resolve()
    text = f"\nDone. Results: {results}"
    if page.exists():
        text += f"\nTo see and hear them, open in a browser: {page}"
    return text


def failures():
    """The message after failed jobs: which ones, and their logs."""
    failed = getattr(workflow.scheduler, "failed", ())
    if not failed:
        return (
            "\nStopped. Finished files and the checkpoints of trainings are kept; "
            "the same command resumes."
        )
    jobs = [job for one in failed for job in getattr(one, "jobs", [one])]
    lines = ["\nFailed for good; all jobs that do not depend on these are done:"]
    for job in sorted(jobs, key=str):
        values = ", ".join(f"{k} {v}" for k, v in job.wildcards_dict.items())
        name = f"{job.rule.name} ({values})" if values else job.rule.name
        logs = [
            log for log in job.log if Path(log).exists() and Path(log).stat().st_size
        ]
        reason = f"see {', '.join(logs)}" if logs else "nothing in its log; see above"
        lines.append(f"  {name}: {reason}")
    return "\n".join(lines)
