"""The rooms of the package: imports, sizes, and a test file for each module."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "scripts" / "upsampling"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
LARGEST_SHARE = 0.13


def room(path: Path) -> str:
    """The folder of a module below the package, or a module of its own."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def documented() -> dict[str, set[str]]:
    """The rooms of docs/architecture.md in order, with the rooms that each may import."""
    rooms = {}
    text = (ROOT / "docs" / "architecture.md").read_text()
    for names, imports in re.findall(r"(?m)^\| (`[^|]*) \|[^|]*\|([^|]*)\|$", text):
        allowed = set(re.findall(r"\w+", imports))
        rooms |= {name: allowed for name in re.findall(r"`(\w+)`", names)}
    return rooms


def imports(path: Path) -> set[str]:
    """The rooms that a module imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("upsampling.")}
    return found


def test_every_room_is_documented():
    rooms = {room(path) for path in MODULES}
    assert rooms == set(documented())


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_room_and_those_that_the_table_names(path):
    assert imports(path) <= documented()[room(path)] | {room(path)}


def test_rooms_import_upwards_in_the_table_only():
    order = list(documented())
    for place, name in enumerate(order):
        for other in documented()[name]:
            assert order.index(other) < place, f"{name} imports {other}"


def test_no_room_is_too_large_to_know():
    lines: Counter[str] = Counter()
    for path in MODULES:
        lines[room(path)] += len(path.read_text().splitlines())
    name, most = lines.most_common(1)[0]
    assert most <= LARGEST_SHARE * lines.total(), name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_has_a_test_file_of_its_name(path):
    relative = path.relative_to(PACKAGE)
    assert (ROOT / "tests" / "unit" / relative.with_name(f"test_{relative.name}")).is_file()


# Calls that read or write a file's content, and modules whose files no later step reads.
READS = re.compile(
    r"\b(read_csv|soundfile\.(?:read|info|SoundFile)|np\.(?:load|save\w*)|safe_open|load_file|to_csv"
    r"|read_text|read_bytes|write_text|write_bytes|soundfile\.write)\("
)
# Reads that compare checksums, reads of the package's own files, and `upsampling.files.write_text`.
KNOWN = re.compile(
    r"checked\((?:[^()]|\([^()]*\))*\)\.read_\w+\(|\(FOLDER / \S+\)\.read_text\(|\bwrite_text\(\w"
)
OWN_FORMATS = {
    "files.py": "the readers and writers with checksums",
    "config/reading.py": "the user's configuration",
    "arguments.py": "JSON that the user names",
    "own_code.py": "the user's code",
    "html_pages.py": "sound inside a page",
    "deployment.py": "a file that is removed at once, to see whether there is room",
    "code_fingerprint.py": "code",
    "process_state.py": "/proc",
    "earlier_calls.py": "/proc",
    "training/lock.py": "a lock and /proc",
    "training/checkpoint_file.py": "safetensors with a checksum inside",
    "training/checkpoints.py": "checkpoints that were verified",
    "tracks/store.py": "stored tracks, verified by their checksums",
    "tracks/building.py": "stored tracks, whose checksums are in the manifest",
    "tracks/reading.py": "the user's data set",
    "models/own.py": "weights that the user names",
    "probes/signals.py": "a file of the package",
    "tables/formats.py": "a table as text",
    "audit/repairing.py": "sounds that the user names",
    "networks/loading.py": "a model's folder that the user names",
    "networks/torch_file.py": "networks that the user names",
    "recordings/audio.py": "recordings that the user names",
}


def test_files_are_read_and_written_with_checksums():
    """A data file that one module writes and another reads goes through `upsampling.files`."""
    programs = sorted((ROOT / "scripts").glob("*.py"))
    for path in [*MODULES, *programs]:
        name = str(path.relative_to(PACKAGE if path in MODULES else ROOT / "scripts"))
        text = KNOWN.sub("", path.read_text())
        if name not in OWN_FORMATS:
            assert not READS.findall(text), name
