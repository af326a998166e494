"""Classes in a user's file are loaded with their helpers, and refused in one line."""

import sys

import pytest

from upsampling.errors import UserError
from upsampling.own_code import class_fingerprint, load_class


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own_helper_of_the_test.py").write_text("gain = 2\n")
    path = tmp_path / "own.py"
    path.write_text("from own_helper_of_the_test import gain\n\n\nclass Own:\n    gain = gain\n")
    return path


def test_a_class_is_loaded_with_the_helper_beside_its_file(own):
    assert load_class(f"{own}:Own", "x").gain == 2


def test_a_change_of_a_helper_changes_the_fingerprint(own):
    before = class_fingerprint(f"{own}:Own", "x")
    helper = own.with_name("own_helper_of_the_test.py")
    helper.write_text("# A remark.\ngain = 2\n")
    assert class_fingerprint(f"{own}:Own", "x") == before
    helper.write_text("gain = 30\n")
    assert class_fingerprint(f"{own}:Own", "x") != before


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (None, "Own", "x: {path} cannot be read: No such file or directory"),
        ("class Own\n", "Own", "x: {path}, line 1: expected ':'"),
        ("class Owm:\n    pass\n", "Own", "x: {path} defines no class Own (did you mean 'Owm'?)"),
        ("", "Own", "x: {path} defines no class Own; it has none"),
        ("\0", "Own", "x: {path}"),
    ],
)
def test_mistakes_in_a_file_are_told_without_running_it(tmp_path, content, name, message):
    path = tmp_path / "own.py"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        class_fingerprint(f"{path}:{name}", "x")
    assert str(caught.value).startswith(message.format(path=path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "x: there is no file {path}"),
        ("raise RuntimeError('no')\n", "x: {path} cannot be imported: RuntimeError('no')"),
        ("raise SystemExit(3)\n", "x: {path} cannot be imported: SystemExit(3)"),
        ("Own = 3\n", "x: {path} has no class Own"),
    ],
)
def test_a_file_that_cannot_be_run_is_refused(tmp_path, content, message):
    path = tmp_path / "own.py"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        load_class(f"{path}:Own", "x")
    assert str(caught.value) == message.format(path=path)


@pytest.mark.parametrize("helper", ["layers.py", "parts/gains.py", "theory.py"])
def test_helpers_are_those_beside_each_file(tmp_path, helper):
    """Of the same name in another folder, in a folder without __init__, and of one of our programs'
    names."""
    name = helper.removesuffix(".py").replace("/", ".")
    for folder, gain in (("a", 1), ("b", 2)):
        path = tmp_path / folder / helper
        path.parent.mkdir(parents=True)
        path.write_text(f"GAIN = {gain}\n")
        own = tmp_path / folder / "own.py"
        own.write_text(f"from {name} import GAIN\n\n\nclass Own:\n    gain = GAIN\n")
    before = list(sys.path)
    for folder, gain in (("a", 1), ("b", 2), ("a", 1)):
        assert load_class(f"{tmp_path}/{folder}/own.py:Own", "x").gain == gain
        assert name not in sys.modules
    first, second = (class_fingerprint(f"{tmp_path}/{f}/own.py:Own", "x") for f in "ab")
    assert first != second
    assert [path for path in sys.path if path not in before] == [
        str(tmp_path / "a"),
        str(tmp_path / "b"),
    ]


def test_a_file_may_hold_dataclasses_with_annotations_that_are_text(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n\n"
        "@dataclass\nclass Own:\n    size: int = 3\n"
    )
    assert load_class(f"{path}:Own", "x")().size == 3
