"""Values are converted or refused in one line that names the key, the value and the remedy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from upsampling.config.declared import (
    INTERNAL,
    Bounds,
    Count,
    Gain,
    Part,
    Pattern,
    Unique,
    as_number,
    check_part,
    choices,
    fields_of,
    read_settings,
    required,
)
from upsampling.errors import UserError


@dataclass(frozen=True)
class Inner:
    """A nested section."""

    size: Count = 1


@dataclass(frozen=True)
class Outer:
    """One field of each kind."""

    name: Annotated[str, Pattern("[a-z]+", "use lower-case letters")]
    count: Count = 1
    rate: Annotated[Gain | None, "Hz"] = None
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    items: Annotated[tuple[int, ...], Bounds(minimum=1, maximum=3), Unique()] = (1,)
    inner: Inner = field(default_factory=Inner)
    sections: dict[Annotated[str, Pattern("[a-z]+", "letters")], Inner] = field(
        default_factory=dict
    )
    part: Annotated[Mapping[str, Any], Part(Inner)] = field(default_factory=dict)
    secret: Annotated[str, INTERNAL] = ""


def read(**values: Any) -> Outer:
    return read_settings(Outer, {"name": "x", **values}, "top")


def test_values_become_the_declared_types():
    settings = read(items=[3, 1], inner={"size": 2}, sections={"a": {"size": 4}}, rate=2)
    assert settings == Outer("x", items=(3, 1), inner=Inner(2), sections={"a": Inner(4)}, rate=2)
    assert read(rate=None).rate is None


MISTAKES = [
    ({"count": 0}, "top.count: 0 is too small; write a value of at least 1"),
    ({"count": 2.0}, "top.count: 2.0 is of the wrong type; write a value of type integer"),
    ({"count": True}, "top.count: True is of the wrong type; write a value of type integer"),
    ({"rate": 0}, "top.rate: 0 is too small; write a value greater than 0"),
    ({"rate": "1e-4"}, "top.rate: '1e-4' is text, not a number; write 0.0001 without quotes"),
    ({"rate": float("nan")}, "top.rate: nan is not a finite number; write one"),
    ({"rate": float("inf")}, "top.rate: inf is not a finite number; write one"),
    ({"rate": [1]}, "top.rate: [1] is of the wrong type; write a value of type number or null"),
    ({"kind": "c"}, "top.kind: unknown value 'c'; choose from a, b"),
    ({"kind": None}, "top.kind: unknown value None; choose from a, b"),
    ({"flag": 1}, "top.flag: 1 is of the wrong type; write a value of type boolean"),
    ({"items": []}, "top.items: 0 items is too small; write a value of at least 1"),
    ({"items": [1, 2, 3, 4]}, "top.items: 4 items is too large; write a value of at most 3"),
    ({"items": [1, 1]}, "top.items: 1 is listed twice; remove one"),
    ({"items": [1, "a"]}, "top.items.1: 'a' is text, not a number; write a number"),
    ({"items": 5}, "top.items: 5 is of the wrong type; write a value of type array"),
    ({"name": "X"}, "top.name: 'X' is not allowed; use lower-case letters"),
    ({"inner": {"size": 0}}, "top.inner.size: 0 is too small; write a value of at least 1"),
    ({"inner": None}, "top.inner: None is of the wrong type; write a value of type object"),
    (
        {"inner": {"sise": 1}},
        "top.inner.sise: unknown key 'sise' (value 1) (did you mean 'size'?); choose from size",
    ),
    ({"part": {"size": 0}}, "top.part.size: 0 is too small; write a value of at least 1"),
    ({"part": {"sise": 1}}, "top.part.sise: unknown key 'sise'"),
    ({"kind": "c" * 61}, f"top.kind: unknown value '{'c' * 27}...{'c' * 28}'; choose from a, b"),
    ({"sections": {"A": {}}}, "top.sections: 'A' is not allowed; letters"),
    (
        {"sections": {"a": {"size": -1}}},
        "top.sections.a.size: -1 is too small; write a value of at",
    ),
]


@pytest.mark.parametrize(("values", "message"), MISTAKES)
def test_a_mistake_is_told_in_one_line(values, message):
    with pytest.raises(UserError) as caught:
        read(**values)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named():
    with pytest.raises(UserError, match=r"^top: the key 'name' is missing; add it$"):
        read_settings(Outer, {}, "top")
    with pytest.raises(UserError, match=r"^config: the key 'name' is missing; add it$"):
        read_settings(Outer, {}, "")


def test_a_section_that_is_no_mapping_is_told():
    with pytest.raises(UserError, match=r"^top: 3 is of the wrong type; write a value of type obj"):
        check_part(Outer, 3, "top")


def test_a_part_needs_no_key_and_has_no_internal_one():
    check_part(Outer, {}, "top")
    check_part(Outer, {"count": 2}, "top")
    with pytest.raises(UserError, match=r"^top\.secret: unknown key 'secret'"):
        check_part(Outer, {"secret": "x"}, "top")
    assert read(secret="x").secret == "x"


def test_a_long_value_is_cut():
    with pytest.raises(UserError) as caught:
        read(kind="c" * 10_000)
    assert len(str(caught.value)) < 200


def test_a_long_text_is_refused_before_it_is_used():
    assert read_settings(str, "x" * 1000, "k") == "x" * 1000
    with pytest.raises(
        UserError, match=r"^k: a text of 1001 characters is too long; write at most"
    ):
        read_settings(str, "x" * 1001, "k")


def test_a_long_key_is_cut():
    with pytest.raises(UserError) as caught:
        read_settings(Inner, {"x" * 10_000: 1}, "k")
    assert str(caught.value).startswith("k.xxx")
    assert len(str(caught.value)) < 300


def test_a_value_that_repeats_itself_is_shown_at_once():
    """Aliases of YAML make few bytes stand for 9^30 items, which no repr of them ends to write."""
    value: list = ["x"]
    for _ in range(30):
        value = [value] * 9
    with pytest.raises(UserError, match=r"^k: .* is of the wrong type") as caught:
        read_settings(int, value, "k")
    assert len(str(caught.value)) < 200


def test_a_value_error_of_the_settings_themselves_names_their_key():
    @dataclass(frozen=True)
    class Odd:
        size: int = 1

        def __post_init__(self) -> None:
            if self.size % 2 == 0:
                raise ValueError("size: use an odd number")

    with pytest.raises(UserError, match=r"^top: size: use an odd number$"):
        read_settings(Odd, {"size": 2}, "top")


def test_declarations_can_be_listed():
    assert list(fields_of(Inner)) == ["size"]
    assert required(Outer) == ("name",)
    assert choices(Literal["a", "b"]) == ("a", "b")
    assert choices(Annotated[Literal["a"], "text"]) == ("a",)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("2e-7", "write 2.0e-07 without quotes"),
        ("1_000", "write 1000.0 without quotes"),
        ("1.5e-5", "write 1.5e-05 without quotes"),
        ("ten", "write a number"),
        ("nan", "write a finite number"),
    ],
)
def test_advice_on_numbers_in_quotes(text, advice):
    assert as_number(text) == advice


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("1_000", 1000), ("2.0", 2), ("-4e2", -400)]
)
def test_advice_on_whole_numbers_is_what_such_a_key_takes(text, number):
    assert as_number(text, whole=True) == f"write {number} without quotes"
    assert as_number("1.5", whole=True) == "write 1.5 without quotes"
