"""Classes that a user brings along: `path/to/file.py:ClassName`.

Helper modules beside the file can be imported by it. Loading a class runs the file's code.
"""

import ast
import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
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
        tree = ast.parse(Path(path).read_bytes())
        classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
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
    found = getattr(load_module(Path(path), where), class_name, None)
    if not isinstance(found, type):
        raise UserError(f"{where}: {path} has no class {class_name}")
    return found


def load_module(path: Path, where: str) -> ModuleType:
    """Run a Python file and return its module; `UserError` if that fails.

    Its helpers are the modules beside it, and nobody else's: another folder may have other ones of
    the same names. Those that it imports later, while it is used, are found after all others.
    """
    absolute = path.absolute()
    name = f"own_{path.stem}_{hashlib.sha256(bytes(absolute)).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = str(absolute.parent)
    others = set(sys.modules)
    sys.modules[name] = module
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UserError(f"{where}: {path} cannot be imported: {error!r}") from error
    finally:
        sys.path.remove(folder)
        for other in set(sys.modules) - others - {name}:
            if _is_below(sys.modules[other], absolute.parent):
                del sys.modules[other]
    if folder not in sys.path:
        sys.path.append(folder)
    return module


def _is_below(module: ModuleType, folder: Path) -> bool:
    """True for a module of `folder`; packages without a file are folders."""
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
    return any(place and Path(place).is_relative_to(folder) for place in places)
