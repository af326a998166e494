"""Checks of a configuration that take long: made once per change, in a process of their own.

Each call of Snakemake reads the configuration; importing PyTorch would take most of its time.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upsampling.code_fingerprint import program_fingerprint
from upsampling.config.mapping import canonical
from upsampling.config.model import DemucsLikeSettings
from upsampling.errors import UserError
from upsampling.files import read_json, write_json
from upsampling.own_code import class_fingerprint

if TYPE_CHECKING:
    from upsampling.config.experiment import Experiment

PROGRAM = "check_models.py"
# The program's last line: code of a user's may end it before, with any status.
END = "all entries are checked"
# A hundred variants take a quarter of it on a slow machine.
MAXIMUM_SECONDS = 300


def check_models(experiment: "Experiment", scripts: Path, remembered: Path) -> None:
    """Raise `UserError` for a model or an operator that cannot be built or used, or for scores.

    Published scores are read, so that a table does not refuse them after all trainings.

    The file `remembered` holds a hash of each that passed, with the code that tried it. Where
    PyTorch is not installed, as where Snakemake has an environment of its own, jobs find such
    mistakes.
    """
    if find_spec("torch") is None:
        return
    program = scripts / PROGRAM
    code = program_fingerprint(program)
    passed: set[str] = set()
    with suppress(OSError, UserError, TypeError):
        passed = set(read_json(remembered))
    entries: dict[str, Iterable[dict[str, Any]]] = {
        "models": models(experiment),
        "operators": operators(experiment),
        "published": experiment.published,
    }
    keyed = {kind: [(entry_key(code, e), e) for e in listed] for kind, listed in entries.items()}
    request = {k: [e for key, e in listed if key not in passed] for k, listed in keyed.items()}
    if not any(request.values()):
        return
    print("Checking the changed configuration.", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            [sys.executable, str(program)],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=MAXIMUM_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"{last_place(error.stdout)}: its check did not end within {MAXIMUM_SECONDS} s; "
            "make the model smaller, or see where its code waits"
        ) from error
    if done.returncode != 0 or END not in done.stdout.splitlines():
        message = re.search(r"^error: (.*)", done.stderr, re.MULTILINE | re.DOTALL)
        if message:
            raise UserError(message[1].strip())
        reason = (done.stderr.strip().splitlines() or ["no reason is given"])[-1]
        raise UserError(
            f"{last_place(done.stdout)}: its check ended with status {done.returncode}: {reason}"
        )
    with suppress(OSError):
        write_json(
            remembered, sorted(passed | {key for listed in keyed.values() for key, _ in listed})
        )


def models(experiment: "Experiment") -> Iterator[dict[str, Any]]:
    """Each model that a job will build: the key `where` it stands, `model`, and `trained`."""
    for name in experiment.variants:
        drawn = experiment.initialisation(name)
        statistics = experiment.init_statistics(name)
        built = (experiment.model(name), drawn["model"], drawn["paper_model"], statistics["model"])
        for place, model in enumerate(built):
            trained = place == 0 and name in experiment.scored
            yield {"where": f"variants.{name}", "model": json.loads(model), "trained": trained}


def operators(experiment: "Experiment") -> Iterator[dict[str, Any]]:
    """Each operator that a job will build alone or in a model: `where`, and its arguments.

    One from a file has its fingerprint as `code`.
    """
    for name in experiment.variants:
        settings = experiment.model_settings(name)
        if isinstance(settings, DemucsLikeSettings):
            outputs = len(settings.sources) * settings.audio_channels
            layers = [(*settings.outermost, (settings.channels, outputs))]
            if settings.depth > 1:
                channels = (settings.channels * settings.growth, settings.channels)
                layers.append((settings.operator, settings.options, channels))
            for operator, options, channels in layers:
                yield _operator(f"variants.{name}", operator, options, settings.stride,
                                settings.bias, channels)  # fmt: skip
    figures = experiment.settings.figures
    for key, stack in figures.stacks.items():
        yield _operator(f"figures.{key}", stack.operator, stack.options, stack.stride)
    if figures.operator_spectra:
        spectra = json.loads(experiment.theory("operator_spectra"))
        for name, alone in spectra["operators"].items():
            yield _operator(f"variants.{name}", alone["operator"], alone["options"],
                            spectra["stride"], alone["bias"])  # fmt: skip
    if replicas := figures.replicas:
        for place, layer in enumerate(replicas.following):
            where = f"figures.replicas.following.{place}"
            one = _operator(where, layer.operator, layer.options, replicas.stride, bias=False)
            yield one | {"linear": True}


def _operator(
    where: str, operator: str, options: Mapping[str, Any], stride: int, bias: bool = True,
    channels: tuple[int, int] = (1, 1),
) -> dict[str, Any]:  # fmt: skip
    code = {"code": class_fingerprint(operator, where)} if ":" in operator else {}
    entry = {"where": where, "operator": operator, "options": options, "stride": stride}
    return entry | {"bias": bias, "channels": channels} | code


def entry_key(code: str, entry: Mapping[str, Any]) -> str:
    """One hash of all that decides about an entry's verdict, its place in the file aside."""
    tried = {key: value for key, value in entry.items() if key != "where"}
    return hashlib.sha256(f"{code} {canonical(tried)}".encode()).hexdigest()


def last_place(output: str | bytes | None) -> str:
    """The last key that the program printed before its check."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    places = re.findall(r"(?m)^checking (.*)$", text)
    return places[-1] if places else "the configuration"
