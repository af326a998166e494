"""The environment of the commands in rules."""

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from upsampling.errors import UserError, describe

# Packages of the supplement.
LATEX_PACKAGES = ("booktabs", "float", "geometry", "graphicx", "siunitx", "tabularx")

# Of locks, metadata and the log of a call.
STATE_BYTES = 1 << 20


def prepare(scripts: Path, deployment_methods: Collection[str]) -> None:
    """Let commands find `scripts` as $SCRIPTS, and the `python` that runs Snakemake.

    Names of files are UTF-8 to them, whatever the shell's locale. Conda, if it is among
    Snakemake's `deployment_methods`, puts another python first; `UserError` if it is not on PATH.
    """
    for name, value in tuple(os.environ.items()):
        # Numbers of threads that libraries refuse; OpenMP's lists are none of them.
        if name.endswith("_NUM_THREADS") and not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", value):
            del os.environ[name]
    os.environ["PYTHONUTF8"] = "1"
    # With it, programs do not find the package beside them.
    os.environ.pop("PYTHONSAFEPATH", None)
    os.environ["SCRIPTS"] = str(scripts)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if "conda" in deployment_methods and shutil.which("conda") is None:
        raise UserError(
            "conda is not on PATH; install it (version 24.7.1 or newer), or load its module, or "
            "run in the environment that is active now: --software-deployment-method env-modules"
        )


def without_latex(deployment_methods: Collection[str]) -> str:
    """The reason why commands cannot call pdflatex with `LATEX_PACKAGES`, '' if they can."""
    if "apptainer" in deployment_methods:
        return "the container has no LaTeX"
    if shutil.which("pdflatex") is None or shutil.which("kpsewhich") is None:
        return "pdflatex is not on PATH"
    files = [f"{name}.sty" for name in LATEX_PACKAGES]
    listed = subprocess.run(["kpsewhich", *files], capture_output=True, text=True, check=False)
    installed = {Path(line).stem for line in listed.stdout.splitlines()}
    missing = [name for name in LATEX_PACKAGES if name not in installed]
    return f"LaTeX has no package {', '.join(missing)}" if missing else ""


def require_room(state: Path, folders: Iterable[Path]) -> None:
    """Raise `UserError` where Snakemake cannot keep its `state` or write below one of `folders`.

    Its own errors of that kind are tracebacks. Folders that exist may be full: their jobs tell.
    """
    probe = state / f".room.{os.getpid()}"
    try:
        state.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(bytes(STATE_BYTES))
        for folder in folders:
            nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
            for path in (nearest, *(Path(name) for name, _, _ in os.walk(folder))):
                if reason := _unwritable(path):
                    raise OSError(reason, os.strerror(reason), str(path))
    except OSError as error:
        # Errors of a write, as on a full disk, do not say which file it was.
        error.filename = error.filename or str(probe)
        raise UserError(describe(error)) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def _unwritable(path: Path) -> int:
    """The number of the error that a new file in `path` would meet; 0 if none is known."""
    if not path.is_dir():
        return errno.ENOTDIR
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return errno.EROFS
    return 0 if os.access(path, os.W_OK) else errno.EACCES


def check_executor(name: str) -> None:
    """Raise `UserError` where jobs are for SLURM and its commands are not installed."""
    if name == "slurm" and shutil.which("sbatch") is None:
        raise UserError(
            "sbatch is not on PATH; call Snakemake on a login node of the cluster, or run the jobs "
            "on this machine, without --profile slurm"
        )
