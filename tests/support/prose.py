"""The prose of the repository: docstrings and comments of code, and the text of Markdown files."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGINNING = re.compile(r"\s*(What|How|Which|Whether)\b")
WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
LINE_ENDS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def code_prose(path: Path) -> tuple[list[str], list[str]]:
    """Docstrings and comments of a Python file or of rules of Snakemake."""
    reader = io.StringIO(path.read_text()).readline
    tokens = [t for t in tokenize.generate_tokens(reader) if t.type != tokenize.NL]
    comments = [t.string for t in tokens if t.type == tokenize.COMMENT]
    code = [t for t in tokens if t.type != tokenize.COMMENT]
    docstrings = []
    for place, token in enumerate(code[:-1]):
        first = place == 0 or code[place - 1].type in LINE_ENDS
        alone = code[place + 1].type in (tokenize.NEWLINE, tokenize.ENDMARKER)
        if token.type == tokenize.STRING and first and alone:
            docstrings.append(token.string.strip("rbf").strip("\"'"))
    return docstrings, comments


def code_files() -> Iterator[Path]:
    """The repository's Python files, and its rules."""
    yield ROOT / "Snakefile"
    for folder in ("scripts", "tests", "rules", "benchmarks", "docs"):
        for suffix in ("py", "smk"):
            yield from sorted((ROOT / folder).rglob(f"*.{suffix}"))


def markdown_files() -> list[Path]:
    """The repository's Markdown files."""
    folders = (ROOT / name for name in ("docs", "profiles", "results", "scripts"))
    inner = [path for folder in folders for path in folder.rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *inner])


def without_code(text: str) -> str:
    """Markdown without its blocks of code."""
    return re.sub(r"(?s)```.*?```", "", text)


def share_of_beginnings(docstrings: list[str]) -> float:
    """Share of docstrings that begin with What, How, Which or Whether."""
    return sum(bool(BEGINNING.match(text)) for text in docstrings) / len(docstrings)


def whats_per_thousand(texts: list[str]) -> float:
    """Occurrences of "what" and "whatever" per 1000 words."""
    words = [word.lower() for text in texts for word in WORD.findall(text)]
    return 1000 * sum(word in ("what", "whatever") for word in words) / len(words)
