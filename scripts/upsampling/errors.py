"""Mistakes of a user: each is one line that says what is wrong, where, and what to do."""

import difflib
import errno
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

# The remedy for each error of an operating system.
REMEDIES = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in your quota",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.EROFS: "choose a folder on another disk",
    errno.EACCES: "change its permissions",
    errno.EPERM: "change its permissions",
    errno.ENOENT: "check the path",
    errno.EISDIR: "move that folder away",
    errno.ENOTDIR: "move the file that stands in a folder's place away",
    errno.EIO: "check the disk",
    errno.ESTALE: "check the network file system",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}

# In the messages of torch, which raises a RuntimeError for want of memory.
NO_MEMORY = ("can't allocate memory", "out of memory")


class UserError(Exception):
    """A mistake of the user's; the message says what is wrong, where, and what to do."""


def command_line(main: Callable[[], None]) -> None:
    """Run a program's `main`; a `UserError` ends it with its message alone and exit status 1.

    So does an error that the operating system reports, with its path, and a lack of memory.
    """
    try:
        main()
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        sys.exit(f"error: {message_of(error)}")


def message_of(error: Exception) -> str:
    """One line for a `UserError`, an error of the system or a lack of memory; raises any other."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return describe(error)
    if lacks_memory(error):
        return "there is not enough memory; close other programs or use a larger machine"
    raise error


def lacks_memory(error: Exception) -> bool:
    """Return True for a lack of memory: Python's and NumPy's error, or torch's, on any device."""
    if isinstance(error, RuntimeError):
        return any(text in str(error) for text in NO_MEMORY)
    return isinstance(error, MemoryError)


def describe(error: OSError) -> str:
    """One line with the path, the operating system's reason and the remedy."""
    paths = [str(path) for path in (error.filename, error.filename2) if path is not None]
    remedy = REMEDIES.get(error.errno or 0, "")
    reason = error.strerror or str(error)
    return f"{' -> '.join(paths) or 'a file'}: {reason}{f'; {remedy}' if remedy else ''}"


def nearest_match(word: object, choices: Iterable[object]) -> str:
    """Return ' (did you mean ...?)' with the choice most like `word`, or ''."""
    close = difflib.get_close_matches(str(word), [str(choice) for choice in choices], 1, 0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""


def choose_from(choices: Iterable[object]) -> str:
    """Return 'choose from ...' with the choices, cut after about 100 characters."""
    return "choose from " + textwrap.shorten(
        ", ".join(map(str, choices)), 100, placeholder=" ... (docs/config.md has all)"
    )


def reason_of(error: Exception, width: int = 400) -> str:
    """Return the type and message of `error` on one line, cut after `width` characters."""
    message = textwrap.shorten(str(error), width, placeholder=" ...")
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def require_text(path: Path, kind: str) -> None:
    """Raise `UserError` for a name that is not UTF-8; `kind` is the word for its bearer."""
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{str(path)!a}: the name is not UTF-8; rename the {kind}") from error
