"""Output of the benchmarks: a Markdown report, and progress."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))


def publish(text: str, path: Path | None) -> None:
    """Write `text` to `path`, or to standard output if there is none."""
    if path is None:
        print(text)
        return
    from upsampling.files import write_text

    write_text(path, text)


def report(message: str) -> None:
    """Print one line of progress to standard error at once."""
    print(message, file=sys.stderr, flush=True)
