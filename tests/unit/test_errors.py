"""A user's mistake ends a program with one line and status 1."""

import errno
import os

import numpy as np
import pytest
import torch

from upsampling.errors import (
    UserError,
    choose_from,
    command_line,
    nearest_match,
    reason_of,
    require_text,
)


def test_a_mistake_ends_the_program_with_its_message_alone():
    def main() -> None:
        raise UserError("seeds: write a list")

    with pytest.raises(SystemExit) as caught:
        command_line(main)
    assert caught.value.code == "error: seeds: write a list"


def test_other_errors_pass_through():
    def main() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command_line(main)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("neares", " (did you mean 'nearest'?)"), ("xyz", ""), (5, "")],
)
def test_the_nearest_choice_is_offered(word, expected):
    assert nearest_match(word, ["nearest", "linear"]) == expected


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a/b.csv"),
            "error: a/b.csv: No space left on device; make room on that disk",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a", None, "b"),
            "error: a -> b: Permission denied; change its permissions",
        ),
        (OSError(errno.ENOSPC, "No space left"), "error: a file: No space left; make room on that"),
        (MemoryError(), "error: there is not enough memory"),
        (
            RuntimeError("CUDA out of memory. Tried to allocate"),
            "error: there is not enough memory",
        ),
    ],
)
def test_errors_of_the_system_are_one_line(error, message):
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        command_line(main)
    assert str(caught.value.code).startswith(message)
    assert "\n" not in str(caught.value.code)


@pytest.mark.parametrize("allocate", [np.empty, torch.empty])
def test_arrays_and_tensors_that_do_not_fit_are_one_line(allocate):
    with pytest.raises(SystemExit, match=r"^error: there is not enough memory; "):
        command_line(lambda: allocate(2**50))


def test_a_reader_that_is_gone_ends_the_program_quietly():
    def main() -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(SystemExit) as caught:
        command_line(main)
    assert caught.value.code == 1


def test_choices_are_listed_up_to_a_length():
    assert choose_from(["a", 2]) == "choose from a, 2"
    text = choose_from([f"choice_{number}" for number in range(100)])
    assert text.startswith("choose from choice_0, choice_1, ")
    assert text.endswith(", ... (docs/config.md has all)")
    assert len(text) < 140


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            RuntimeError("sizes differ:\n  a is 3\n  b is 4"),
            "RuntimeError: sizes differ: a is 3 b is 4",
        ),
        (KeyError("width"), "KeyError: 'width'"),
        (NotImplementedError(), "NotImplementedError"),
        (ValueError("word " * 400), f"ValueError: {'word ' * 79}..."),
    ],
)
def test_the_reason_of_an_error_is_one_short_line(error, expected):
    assert reason_of(error) == expected


def test_names_are_text(tmp_path):
    require_text(tmp_path / "caf\N{LATIN SMALL LETTER E WITH ACUTE} \\udce9", "track")
    with pytest.raises(UserError, match="the name is not UTF-8; rename the track") as error:
        require_text(tmp_path / os.fsdecode(b"caf\xe9"), "track")
    assert str(error.value).isascii()
