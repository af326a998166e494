"""The command `upsampling-audit`: which layer of a network makes which line; combs in recordings.

    python scripts/audit.py network results/demo/models/transposed/seed0

Exit status: 0, or 1 if --fail-above is exceeded, or 2 if there is something that cannot be audited,
with one line that says why.
"""

import argparse
import resource
import sys
import traceback
from collections.abc import Sequence

from upsampling.arguments import forgive_streams
from upsampling.audit.network_command import add_network
from upsampling.errors import message_of
from upsampling.recordings.command import add_recording

# Of the memory that is free at the beginning, the part that an audit may ask for.
MEMORY_SHARE = 0.9


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one audit; return the exit status."""
    forgive_streams()
    try:
        parsed = parser().parse_args(arguments)
        limit_memory()
        return parsed.function(parsed)
    except Exception as error:
        try:
            print(f"error: {message_of(error)}", file=sys.stderr)
        except Exception:
            traceback.print_exc()
    return 2


def parser() -> argparse.ArgumentParser:
    """The options of both kinds of audit."""
    made = argparse.ArgumentParser(
        prog="upsampling-audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = made.add_subparsers(required=True, metavar="network | recording")
    add_network(subparsers)
    add_recording(subparsers)
    return made


def limit_memory() -> None:
    """Let allocations beyond the free memory fail, instead of the machine."""
    with open("/proc/meminfo") as file:
        kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in file}
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = int(kilobytes["MemAvailable"] * 1024 * MEMORY_SHARE)
    if soft == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
