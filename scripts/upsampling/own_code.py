"""Classes that a user brings along: `path/to/file.py:ClassName`.

Helper modules beside the file can be imported by it. Loading a class runs the file's code.
"""

import ast
import importlib.util
import sys
from pathlib import Path
from typing import Any

from upsampling.code_fingerprint import program_fingerprint
from upsampling.errors import UserError, nearest_match


def class_fingerprint(name: str, where: str) -> str:
    """Fingerprint of the file and of the helpers beside it; nothing is run.

    As a part of settings it makes a change of the code retrain, and a change of its layout not.
    Raises `UserError` for a file that cannot be read or has no such class.
    """
    path, _, class_name = name.rpartition(":")
    try:
        classes = [
            node.name for node in ast.parse(Path(path).read_bytes()).body
            if isinstance(node, ast.ClassDef)
        ]  # fmt: skip
        fingerprint = program_fingerprint(Path(path).absolute())
    except OSError as error:
        raise UserError(f"{where}: {error.filename} cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UserError(f"{where}: {path}{line}: {error.args[0]}") from error
    if class_name not in classes:
        raise UserError(
            f"{where}: {path} defines no class {class_name}{nearest_match(class_name, classes)}; "
            f"it has {', '.join(classes) or 'none'}"
        )
    return fingerprint


def load_class(name: str, where: str) -> Any:
    """Run the file that `name` says and return its class; `UserError` if that fails."""
    path, _, class_name = name.rpartition(":")
    if not Path(path).is_file():
        raise UserError(f"{where}: there is no file {path}")
    folder = str(Path(path).absolute().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(f"own_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{where}: {path} cannot be imported: {error!r}") from error
    if not isinstance(getattr(module, class_name, None), type):
        raise UserError(f"{where}: {path} has no class {class_name}")
    return getattr(module, class_name)
