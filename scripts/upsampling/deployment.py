"""The environment of the commands in rules."""

import os
import re
import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from upsampling.errors import UserError


def prepare(scripts: Path, deployment_methods: Collection[str]) -> None:
    """Let commands find `scripts` as $SCRIPTS, and the `python` that runs Snakemake.

    Conda, if it is among Snakemake's `deployment_methods`, puts another python before that one;
    `UserError` if it is not on PATH.
    """
    for name in unusable(os.environ):
        del os.environ[name]
    os.environ["SCRIPTS"] = str(scripts)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if "conda" in deployment_methods and shutil.which("conda") is None:
        raise UserError(
            "conda is not on PATH; install it (version 24.7.1 or newer), or load its module, or "
            "run in the environment that is active now: --software-deployment-method env-modules"
        )


def unusable(environment: Mapping[str, str]) -> list[str]:
    """Numbers of threads in the user's shell that libraries refuse; OpenMP's lists are none."""
    return [
        name
        for name, value in environment.items()
        if name.endswith("_NUM_THREADS") and not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", value)
    ]


def check_executor(name: str) -> None:
    """Raise `UserError` where jobs are for SLURM and its commands are not installed."""
    if name == "slurm" and shutil.which("sbatch") is None:
        raise UserError(
            "sbatch is not on PATH; call Snakemake on a login node of the cluster, or run the jobs "
            "on this machine, without --profile slurm"
        )
