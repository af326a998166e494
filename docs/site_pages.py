"""A hook of MkDocs: the site has the repository's Markdown files, and the files they link to.

All are at their paths in the repository, so that one relative link is valid here and there.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "results/README.md",
    "profiles/README.md",
    "scripts/upsampling/probes/README.md",
)
LINK = re.compile(r"\]\(([^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Replace the files of docs/ by all pages, and the files that they link to."""
    pages = {ROOT / name for name in PAGES} | set((ROOT / "docs").rglob("*.md"))
    paths = sorted(pages | {target for page in pages for target in linked_files(page)})
    theme = [file for file in files if not file.abs_src_path.startswith(str(ROOT / "docs"))]
    return Files([*theme, *(site_file(path, config) for path in paths)])


def linked_files(page: Path) -> Iterator[Path]:
    """Files of the repository that a page links to, or shows."""
    for link in LINK.findall(page.read_text()):
        target = (page.parent / link).resolve()
        if target.is_file():
            yield target


def site_file(path: Path, config: Any) -> File:
    """A file of the repository as a file of the site."""
    name = path.relative_to(ROOT).as_posix()
    return File.generated(config, name, abs_src_path=str(path))
