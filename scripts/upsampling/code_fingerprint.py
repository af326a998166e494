"""Fingerprints of code: equal as long as a program computes the same, in any layout.

A fingerprint covers a file and all files of its own project that it imports, directly or not, by
their syntax trees without comments, docstrings and line breaks, and the data files beside a module
that reads them. It is the same in all supported versions of Python. Standard library only.
"""

import ast
import functools
import hashlib
from pathlib import Path
from typing import NamedTuple

# Fields of syntax trees that follow from others, or mean nothing at run time.
IGNORED = ("ctx", "kind", "type_comment")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Code(NamedTuple):
    """A file's digest, its import statements, and whether it reads files beside itself."""

    digest: str
    imports: list[ast.Import | ast.ImportFrom]
    reads_folder: bool


def program_fingerprint(program: Path) -> str:
    """Fingerprint of a program and of all modules in and below its folder that it imports."""
    digest = hashlib.sha256()
    for path in sorted(imported_files(program, program.parent)):
        digest.update(read_code(path).digest.encode())
    return digest.hexdigest()[:16]


def imported_files(program: Path, root: Path) -> set[Path]:
    """`program`, the modules below `root` that it imports, and the data files that these read."""
    found: set[Path] = set()
    waiting = [program]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += imports_of(path, root)
    return found


def read_code(path: Path) -> Code:
    """Digest a Python file's syntax tree, or any other file's content."""
    stat = path.stat()
    return parse_code(path, stat.st_size, stat.st_mtime_ns)


@functools.cache
def parse_code(path: Path, size: int, modified: int) -> Code:
    """`read_code` of a file that has this size in bytes and was modified then, in nanoseconds."""
    content = path.read_bytes()
    if path.suffix != ".py":
        return Code(hashlib.sha256(content).hexdigest(), [], False)
    tokens: list[str] = []
    imports: list[ast.Import | ast.ImportFrom] = []
    collect(ast.parse(content, str(path)), tokens, imports)
    digest = hashlib.sha256("\0".join(tokens).encode()).hexdigest()
    return Code(digest, imports, "'__file__'" in tokens)


def collect(node: ast.AST, tokens: list[str], imports: list[ast.Import | ast.ImportFrom]) -> None:
    """Append the content of a syntax tree without docstrings, and the imports that are executed."""
    tokens.append(type(node).__name__)
    if isinstance(node, ast.Import | ast.ImportFrom):
        imports.append(node)
    type_checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    for field in node._fields:
        value = getattr(node, field, None)
        if value is None or value == [] or field in IGNORED:
            continue
        if field == "body" and isinstance(node, DOCUMENTED) and ast.get_docstring(node, False):
            value = value[1:]
        tokens.append(field)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(node, ast.JoinedStr) and getattr(item, "value", None) == "":
                # Some versions of Python end a format specification with an empty text.
                continue
            if isinstance(item, ast.AST):
                collect(item, tokens, [] if type_checking and field == "body" else imports)
            else:
                tokens.append(repr(item))
        tokens.append(".")


def imports_of(path: Path, root: Path) -> list[Path]:
    """Files below `root` that a module imports itself, and data files beside it if it reads any."""
    code = read_code(path)
    found: list[Path] = []
    for node in code.imports:
        # `import a.b` has neither a level nor a module; `module_files` ignores a leading dot.
        level, module = getattr(node, "level", 0), getattr(node, "module", None) or ""
        folder = path.parents[level - 1] if level else root
        for name in (module, *(f"{module}.{alias.name}" for alias in node.names)):
            found += module_files(folder, name)
    if code.reads_folder:
        visible = (file for file in path.parent.iterdir() if not file.name.startswith("."))
        found += (file for file in visible if file.suffix != ".py" and file.is_file())
    return found


@functools.cache
def module_files(folder: Path, name: str) -> list[Path]:
    """Files that importing `name` from `folder` executes: packages on the way, then the module.

    Empty for a module that is not there, as those of other projects are. A folder is a package
    without a file.
    """
    found: list[Path] = []
    for part in filter(None, name.split(".")):
        folder = folder / part
        candidates = (folder.with_suffix(".py"), folder / "__init__.py")
        module = next((path for path in candidates if path.is_file()), None)
        if module is not None:
            found.append(module)
        elif not folder.is_dir():
            return []
    return found
