"""The programs that rules call."""

import os
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from upsampling.settings import UserError


def prepare(deployment_methods: Collection[str]) -> None:
    """Let rules find the `python` that runs Snakemake, unless conda puts another before it.

    `deployment_methods` are Snakemake's; `UserError` if conda is among them but not on PATH.
    """
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if "conda" in deployment_methods and shutil.which("conda") is None:
        raise UserError(
            "conda is not on PATH; install it (version 24.7.1 or newer), or load its module, or "
            "run in the environment that is active now: --software-deployment-method env-modules"
        )
