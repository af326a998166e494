"""Mistakes of a user: each is one line that says what is wrong, where, and what to do."""

import difflib
import sys
import textwrap
from collections.abc import Callable, Iterable


class UserError(Exception):
    """A mistake of the user's; the message says what is wrong, where, and what to do."""


def command_line(main: Callable[[], None]) -> None:
    """Run a program's `main`; a `UserError` ends it with its message alone and exit status 1."""
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")


def nearest_match(word: object, choices: Iterable[object]) -> str:
    """Return ' (did you mean ...?)' with the choice most like `word`, or ''."""
    close = difflib.get_close_matches(str(word), [str(choice) for choice in choices], 1, 0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""


def one_line(error: Exception, width: int = 400) -> str:
    """Return the type and message of `error` on one line, cut after `width` characters."""
    message = textwrap.shorten(str(error), width, placeholder=" ...")
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
