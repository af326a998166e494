"""Mistakes that YAML itself would swallow are told with their line."""

from pathlib import Path

import pytest

from upsampling.config.reading import check_file, typed
from upsampling.errors import UserError

ROOT = Path(__file__).parents[3]


def test_the_configuration_itself_passes():
    check_file(ROOT / "config.yaml")


def test_a_file_that_is_not_there_is_left_to_snakemake(tmp_path):
    check_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", ", line 3: the key 'a' is listed twice, first in line 1"),
        (b"v:\n  x: 1\n  x: 2\n", ", line 3: the key 'x' is listed twice, first in line 2"),
        (b"a: [1, {b: 1, b: 2}]\n", ", line 1: the key 'b' is listed twice"),
        (b"a: \xff\n", ": byte 3 is not UTF-8; save it as UTF-8"),
        (b"a: [1\n", ", line 2: "),
        (b"? [1, 2]\n: 3\n", ", line 1: [1, 2] cannot be a key; write a name"),
        (b"- a\n", ": write keys and values"),
        (b"", ": write keys and values"),
        (b"a: !!python/object:os.system {}\n", ", line 1: could not determine a constructor"),
        (b"a: &x [*x]\nb: 1\n b: 2\n", ", line 3: "),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path, content, message):
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        check_file(path)
    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)


def test_keys_that_a_merge_overrides_are_not_listed_twice(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: &base {x: 1, y: 2}\nb:\n  <<: *base\n  x: 3\n")
    check_file(path)


def test_nested_values_of_a_command_line_have_types():
    given = {"a": {"b": ["1", "2.5", "1e-4", "true", "null", "text"]}, "c": 3, "d": "x"}
    assert typed(given) == {"a": {"b": [1, 2.5, 1e-4, True, None, "text"]}, "c": 3, "d": "x"}
