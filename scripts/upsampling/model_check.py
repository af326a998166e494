"""Checks of a configuration that need PyTorch: made once per change, in a process of their own.

Each call of Snakemake reads the configuration; importing PyTorch would take most of its time.
"""

import hashlib
import json
import re
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from upsampling.code_fingerprint import program_fingerprint
from upsampling.errors import UserError
from upsampling.files import write_text

if TYPE_CHECKING:
    from upsampling.config.experiment import Experiment

PROGRAM = "check_models.py"
# A hundred variants take a quarter of it on a slow machine.
MAXIMUM_SECONDS = 300


def check_models(experiment: "Experiment", scripts: Path, remembered: Path) -> None:
    """Raise `UserError` for a model or an operator that cannot be built or used.

    The folder `remembered` gets a file for each configuration that passed. Where PyTorch is not
    installed, as where Snakemake has an environment of its own, jobs find such mistakes.
    """
    if find_spec("torch") is None:
        return
    request = json.dumps(
        {"models": list(experiment.models()), "operators": list(experiment.operators())}
    )
    program = scripts / PROGRAM
    key = hashlib.sha256(f"{program_fingerprint(program)} {request}".encode()).hexdigest()
    if (remembered / key).exists():
        return
    print("Checking the models of a changed configuration.", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            [sys.executable, str(program)],
            input=request,
            capture_output=True,
            text=True,
            timeout=MAXIMUM_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"{last_place(error.stdout)}: its check did not end within {MAXIMUM_SECONDS} s; "
            "make the model smaller, or see where its code waits"
        ) from error
    if done.returncode != 0:
        message = re.search(r"^error: (.*)", done.stderr, re.MULTILINE | re.DOTALL)
        if message:
            raise UserError(message[1].strip())
        reason = (done.stderr.strip().splitlines() or ["no reason is given"])[-1]
        raise UserError(
            f"{last_place(done.stdout)}: its check ended with status {done.returncode}: {reason}"
        )
    with suppress(OSError):
        write_text(remembered / key, "")


def last_place(output: str | bytes | None) -> str:
    """The last key that the program printed before its check."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    places = re.findall(r"(?m)^checking (.*)$", text)
    return places[-1] if places else "the configuration"
