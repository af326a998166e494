"""Checks of a configuration that take long: made once per change, in a process of their own.

Each call of Snakemake reads the configuration; importing PyTorch would take most of its time.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from upsampling.code_fingerprint import program_fingerprint
from upsampling.config.experiment import Experiment
from upsampling.config.mapping import canonical
from upsampling.config.trials import models, operators
from upsampling.errors import UserError
from upsampling.files import read_json, write_json

PROGRAM = "check_models.py"
# The program's last line: code of a user's may end it before, with any status.
END = "all entries are checked"
# A hundred variants take a quarter of it on a slow machine.
MAXIMUM_SECONDS = 300


def check_models(experiment: Experiment, scripts: Path, remembered: Path) -> None:
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
    entries = {
        "models": list(models(experiment)),
        "operators": list(operators(experiment)),
        "published": experiment.published,
    }
    keys = {name: [entry_key(code, entry) for entry in listed] for name, listed in entries.items()}
    request = {
        name: [e for e, key in zip(listed, keys[name], strict=True) if key not in passed]
        for name, listed in entries.items()
    }
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
        write_json(remembered, sorted(passed.union(*keys.values())))


def entry_key(code: str, entry: Mapping[str, Any]) -> str:
    """One hash of all that decides about an entry's verdict, its place in the file aside."""
    tried = {key: value for key, value in entry.items() if key != "where"}
    return hashlib.sha256(f"{code} {canonical(tried)}".encode()).hexdigest()


def last_place(output: str | bytes | None) -> str:
    """The last key that the program printed before its check."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    places = re.findall(r"(?m)^checking (.*)$", text)
    return places[-1] if places else "the configuration"
