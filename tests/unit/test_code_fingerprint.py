"""A fingerprint changes with the code that a program runs, and with nothing else."""

import ast
import modulefinder
import subprocess
import sys
from pathlib import Path

import pytest

from upsampling.code_fingerprint import imported_files, program_fingerprint, read_code

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
PROGRAMS = sorted(SCRIPTS.glob("*.py"))


@pytest.fixture
def project(tmp_path):
    """A program that imports a package in all ways."""
    files = {
        "program.py": "import package.plain\nfrom package import inner\n"
        "def main():\n    from package.inner import lazy\n    return lazy\n",
        "package/__init__.py": "",
        "package/plain.py": "from . import sibling\n",
        "package/sibling.py": "value = 1\n",
        "package/inner/__init__.py": "",
        "package/inner/lazy.py": "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from package import types\n",
        "package/types.py": "value = 2\n",
        "package/unused.py": "value = 3\n",
        "page/page.css": "a {}",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_imports_are_followed_wherever_they_stand(project):
    names = {
        str(path.relative_to(project)) for path in imported_files(project / "program.py", project)
    }
    assert names == {
        "program.py",
        "package/__init__.py",
        "package/plain.py",
        "package/sibling.py",
        "package/inner/__init__.py",
        "package/inner/lazy.py",
    }


def test_data_files_beside_a_module_that_reads_them_count(project):
    (project / "page" / "page.py").write_text("from pathlib import Path\nF = Path(__file__)\n")
    (project / "program.py").write_text("import page.page\n")
    (project / "page" / "__init__.py").write_text("")
    before = program_fingerprint(project / "program.py")
    (project / "page" / "page.css").write_text("a { color: red }")
    assert program_fingerprint(project / "program.py") != before


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("# A remark.\nvalue = 1\n", True),
        ('"""Docstring."""\n\nvalue = (\n    1\n)\n', True),
        ("value = 1.0\n", False),
        ("value = True\n", False),
        ("value = 1\nother = 2\n", False),
        ("def value():\n    pass\n", False),
    ],
)
def test_layout_does_not_count_and_code_does(project, change, same):
    before = program_fingerprint(project / "program.py")
    (project / "package" / "sibling.py").write_text(change)
    assert (program_fingerprint(project / "program.py") == before) == same


def test_a_docstring_of_a_function_does_not_count_but_its_text_elsewhere_does(tmp_path):
    file = tmp_path / "a.py"
    file.write_text('def f():\n    """Old."""\n    return "x"\n')
    before = program_fingerprint(file)
    file.write_text('def f():\n    """New text."""\n    return "x"\n')
    assert program_fingerprint(file) == before
    file.write_text('def f():\n    """New text."""\n    return "long"\n')
    assert program_fingerprint(file) != before


def test_modules_that_are_not_imported_do_not_count(project):
    before = program_fingerprint(project / "program.py")
    (project / "package" / "unused.py").write_text("value = 4\n")
    (project / "package" / "types.py").write_text("value = 5\n")
    assert program_fingerprint(project / "program.py") == before


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_the_modules_of_each_program_are_those_that_python_finds(program):
    """modulefinder reads the import instructions of the compiled program."""
    finder = modulefinder.ModuleFinder([str(SCRIPTS)])
    finder.run_script(str(program))
    found = {Path(module.__file__) for module in finder.modules.values() if module.__file__}
    expected = {path for path in found if path.is_relative_to(SCRIPTS)}
    walked = imported_files(program, SCRIPTS)
    # modulefinder also follows imports for type checkers.
    assert walked - data_files(walked) <= expected
    assert expected - walked <= type_checking_only()


def data_files(paths):
    return {path for path in paths if path.suffix != ".py"}


def type_checking_only():
    """Modules that are imported below `if TYPE_CHECKING` somewhere."""
    modules = set()
    for path in SCRIPTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.ImportFrom) and inner.module:
                        modules.add(inner.module)
    seen = {SCRIPTS / (name.replace(".", "/") + ".py") for name in modules if "upsampling" in name}
    return {file for path in seen if path.exists() for file in imported_files(path, SCRIPTS)}


def test_fingerprints_are_the_same_in_another_process():
    program = SCRIPTS / "score.py"
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); from pathlib import Path;"
        "from upsampling.code_fingerprint import program_fingerprint;"
        f"print(program_fingerprint(Path({str(program)!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == program_fingerprint(program)


def test_the_digest_of_a_file_is_pinned(tmp_path):
    """The digest must not depend on the version of Python: results of others stay valid."""
    file = tmp_path / "pinned.py"
    file.write_text(
        "import os\n\n\nasync def f(a, /, b=1, *c, d: int = 2, **e) -> None:\n"
        "    match a:\n        case [1, *_]:\n            return f'{b!r:>{d}}'\n"
        "    return lambda x: (yield), {**e}\n"
    )
    assert read_code(file).digest[:16] == "b9760d733b031fa6"


def test_a_folder_without_a_file_of_its_own_is_a_package(project):
    (project / "page" / "gains.py").write_text("GAIN = 1\n")
    (project / "other.py").write_text("from page.gains import GAIN\nimport page.nothing\n")
    before = program_fingerprint(project / "other.py")
    (project / "page" / "gains.py").write_text("GAIN = 2\n")
    assert program_fingerprint(project / "other.py") != before
