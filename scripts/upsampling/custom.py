"""Operators that a user brings along, as far as the configuration is concerned."""

import ast
import hashlib
from pathlib import Path

from upsampling.settings import UserError, nearest_match


def code_of(operator: str, where: str) -> str:
    """Fingerprint of the code in a custom operator's file, blind to comments and layout.

    Being part of the model's settings, it makes a changed operator train again, and a reformatted
    one not.
    """
    path, _, name = operator.rpartition(":")
    try:
        tree = ast.parse(Path(path).read_text())
    except OSError as error:
        raise UserError(f"{where}: {path} cannot be read: {error.strerror}") from error
    except SyntaxError as error:
        raise UserError(f"{where}: {path}, line {error.lineno}: {error.msg}") from error
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    if name not in classes:
        raise UserError(
            f"{where}: {path} defines no class {name}{nearest_match(name, classes)}; "
            f"it has {', '.join(classes) or 'none'}"
        )
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]
