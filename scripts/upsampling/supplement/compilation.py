"""The PDF of a LaTeX document."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from upsampling.errors import UserError
from upsampling.files import atomic_path

SHOWN_LINES = 25


def compile_pdf(tex: Path, pdf: Path) -> None:
    """Write `pdf` from `tex`, whose relative file names are relative to its folder.

    Messages of pdflatex are printed where it fails, and the first of them is the `UserError`. No
    shell command in the document is executed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
        done = subprocess.run(
            [*command, f"-output-directory={folder}", tex.name],
            cwd=tex.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            lines = done.stdout.splitlines()
            print("\n".join(lines[-SHOWN_LINES:]))
            problem = next((line for line in lines if line.startswith("!")), "it failed")
            raise UserError(f"pdflatex on {tex}: {problem.removeprefix('! ')}")
        with atomic_path(pdf) as temporary:
            shutil.copyfile(Path(folder, tex.name).with_suffix(".pdf"), temporary)
