"""Plans of wrong configurations, each in a child process, and a judge of how they end."""

import importlib.util
import inspect
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from config_mutants import CONFIG, FILE, Mutant, chosen
from configurations import ROOT
from forked import Ended, forked
from snakemake.common.configfile import load_configfile
from tally import Tally

from upsampling import model_check
from upsampling.config.experiment import Experiment
from upsampling.config.reading import check_file
from upsampling.errors import UserError
from upsampling.figures import plan as figure_plan
from upsampling.gallery import settings as gallery_settings
from upsampling.tables import plan as table_plan
from upsampling.training.trial import try_model

LONGEST_LINE = 300
# Of plan and model check; a plan of the whole configuration takes a tenth of a second.
LONGEST_SECONDS = 60
CHECK_MODELS = ROOT / "scripts" / "check_models.py"


def load_check_models() -> Any:
    spec = importlib.util.spec_from_file_location("check_models", CHECK_MODELS)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TRIALS = {"models": try_model, "operators": load_check_models().try_one_operator}


def plan(config: dict) -> Experiment:
    """All that a call of Snakemake asks of a configuration before any job."""
    experiment = Experiment(config)
    for module in (figure_plan, gallery_settings, table_plan):
        for _, function in inspect.getmembers(module, inspect.isfunction):
            own = function.__module__ == module.__name__
            if own and list(inspect.signature(function).parameters) == ["experiment"]:
                function(experiment)
    for name, member in inspect.getmembers(type(experiment)):
        if name.startswith("_"):
            continue
        if not inspect.isfunction(member):
            getattr(experiment, name)
        elif list(inspect.signature(member).parameters) == ["self", "variant"]:
            for variant in experiment.variants:
                member(experiment, variant)
    return experiment


def trials(experiment: Experiment) -> dict[str, tuple[str, dict]]:
    """What check_models.py would try: kind and entry, by their canonical text."""
    found = {}
    for kind in TRIALS:
        for entry in getattr(model_check, kind)(experiment):
            text = json.dumps(
                {key: value for key, value in entry.items() if key != "where"}, sort_keys=True
            )
            found[f"{kind} {text}"] = (kind, entry)
    return found


def try_all(entries: list[tuple[str, dict]]) -> None:
    """Try models and operators as check_models.py does."""
    for kind, entry in entries:
        rest = dict(entry)
        where = rest.pop("where")
        try:
            TRIALS[kind](**json.loads(json.dumps(rest)))
        except UserError as error:
            raise SystemExit(f"error: {where}: {error}") from error


def attempt(mutant: Mutant, folder: Path, known: set[str]) -> Ended:
    """Plan with a wrong configuration in a child process."""
    content = mutant.build()

    def run() -> None:
        os.chdir(folder)
        path = folder / "config.yaml"
        try:
            if isinstance(content, bytes):
                path.write_bytes(content)
                check_file(path)
                config = load_configfile(str(path))
            else:
                config = content
            found = trials(plan(config))
        except UserError as error:
            raise SystemExit(f"error: {error}") from error
        try_all([entry for key, entry in found.items() if key not in known])
        print("accepted")

    return forked(run, LONGEST_SECONDS)


def judge(mutant: Mutant, end: Ended) -> tuple[bool, str]:
    """Whether an attempt ended well, and how."""
    if not end.in_time:
        return False, "took too long"
    if end.status == 0:
        return True, "accepted"
    if end.status != 1 or len(end.errors) != 1 or "Traceback" in end.output:
        return False, "gave a traceback or no message"
    if len(end.lines) != 1:
        return False, "gave several lines"
    if len(end.errors[0]) > LONGEST_LINE:
        return False, "gave a long line"
    names = [str(name) for name in mutant.where if isinstance(name, str)]
    if mutant.where != FILE and not any(
        re.search(rf"\b{re.escape(name)}\b", end.errors[0]) for name in names[-2:]
    ):
        return False, "did not name the key"
    return True, "refused in one line"


def attack(tally: Tally, count: int, folder: Path) -> None:
    """Plan with `count` wrong configurations, in an empty folder."""
    known = set(trials(plan(CONFIG)))
    for mutant in chosen(count, tally.seed):
        started = time.monotonic()
        end = attempt(mutant, folder, known)
        good, how = judge(mutant, end)
        if good:
            tally.survived(how)
        else:
            seconds = time.monotonic() - started
            tally.failed(how, f"{mutant.name} ({seconds:.1f} s): {end.output[-400:].strip()}")
        (folder / "config.yaml").unlink(missing_ok=True)
        for path in folder.iterdir():
            tally.failed("wrote a file", f"{mutant.name}: {path.name}")
            path.rename(folder.parent / f"written{len(tally.failures)}")
