"""A user's mistake ends a program with one line and status 1."""

import pytest

from upsampling.errors import UserError, command_line, nearest_match


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
