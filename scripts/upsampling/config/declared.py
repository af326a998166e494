"""Settings as annotated dataclasses: each key is declared once, with its type, bounds and meaning.

`Annotated[int, Bounds(minimum=1), "epochs of training"]` declares an integer of at least 1, and its
description for the documentation. `read_settings` turns a mapping into such a dataclass, or says in
one line which key is wrong and how to write it. Standard library only: each job of the workflow
imports it.
"""

import dataclasses
import functools
import math
import re
import reprlib
import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from operator import ge, gt, le
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from upsampling.errors import UserError, choose_from, nearest_match

T = TypeVar("T")

LONGEST_VALUE = 60
LONGEST_TEXT = 1000
JSON_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    Literal: "string",
    tuple: "array",
    type(None): "null",
}


@dataclass(frozen=True)
class Bounds:
    """Limits of a number, or of the count of a tuple's items."""

    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None

    def check(self, value: Any, where: str) -> None:
        """Raise `UserError` for a number outside the limits, or a tuple of too few items."""
        items = isinstance(value, tuple)
        number = len(value) if items else value
        shown = f"{number} item{'' if number == 1 else 's'}" if items else repr(value)
        for limit, holds, advice in (
            (self.minimum, ge, "too small; write a value of at least"),
            (self.above, gt, "too small; write a value greater than"),
            (self.maximum, le, "too large; write a value of at most"),
        ):
            if limit is not None and not holds(number, limit):
                raise UserError(f"{where}: {shown} is {advice} {limit}")


@dataclass(frozen=True)
class Pattern:
    """A regular expression that a text, or a mapping's key, matches as a whole."""

    regex: str
    hint: str

    def check(self, value: str, where: str) -> None:
        """Raise `UserError` for a text that does not match."""
        if not re.fullmatch(self.regex, value):
            raise UserError(f"{where}: {shown(value)} is not allowed; {self.hint}")


def name_pattern(bearer: str) -> Pattern:
    """The pattern of the names that a configuration gives to variants or audits."""
    return Pattern(
        "[a-z][a-z0-9_]{0,63}",
        f"{bearer}'s name begins with a letter and has at most 64 lower-case letters, digits and "
        "underscores",
    )


@dataclass(frozen=True)
class Unique:
    """No item of a tuple is listed twice."""

    def check(self, value: tuple[Any, ...], where: str) -> None:
        """Raise `UserError` for an item that occurs twice."""
        for place, item in enumerate(value):
            if item in value[:place]:
                raise UserError(f"{where}: {shown(item)} is listed twice; remove one")


@dataclass(frozen=True)
class Part:
    """A mapping of some of a dataclass's keys, which is merged over a whole one later."""

    settings: type


# A key that the program fills in; a configuration file cannot set it.
INTERNAL = object()

Seed = Annotated[int, Bounds(minimum=0, maximum=2**31 - 1)]
Count = Annotated[int, Bounds(minimum=1, maximum=10**6)]
Stride = Annotated[int, Bounds(minimum=2, maximum=10**4)]
Natural = Annotated[int, Bounds(minimum=0, maximum=10**6)]
Hertz = Annotated[int, Bounds(minimum=1000, maximum=10**6)]
Seconds = Annotated[float, Bounds(above=0, maximum=3600)]
SecondsOrNone = Annotated[float, Bounds(minimum=0, maximum=3600)]
Gain = Annotated[float, Bounds(above=0, maximum=1000)]


def shown(value: Any) -> str:
    """`value` as Python writes it, cut to one short line."""
    writer = reprlib.Repr()
    writer.maxstring = writer.maxother = writer.maxlong = LONGEST_VALUE
    return shorten(writer.repr(value))


def shorten(value: object) -> str:
    """The text of `value` on one short line."""
    text = str(value).replace("\n", " ")
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 4]} ..."


def suggest(word: object, allowed: Collection[object]) -> str:
    """The end of a message that refuses `word`: the nearest match, and the choices."""
    return f"{nearest_match(word, allowed)}; {choose_from(allowed)}"


def unwrap(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type inside `Annotated[...]` and its annotations."""
    if get_origin(kind) is Annotated:
        base, *marks = get_args(kind)
        return base, tuple(marks)
    return kind, ()


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union; any other type alone."""
    union = get_origin(kind) in (Union, types.UnionType)
    return get_args(kind) if union else (kind,)


def choices(kind: Any) -> tuple[Any, ...]:
    """The values of an annotated `Literal`."""
    return get_args(unwrap(kind)[0])


@functools.cache
def fields_of(settings: Any) -> dict[str, Any]:
    """The annotated type of each field of a dataclass, in order."""
    hints = get_type_hints(settings, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(settings)}


@functools.cache
def required(settings: type) -> tuple[str, ...]:
    """Names of the fields that have no default."""
    missing = dataclasses.MISSING
    return tuple(
        field.name
        for field in dataclasses.fields(settings)
        if field.default is missing and field.default_factory is missing
    )


def read_settings(kind: type[T], value: Any, where: str) -> T:
    """Convert `value`, as JSON or YAML gives it, to the annotated type or dataclass `kind`.

    Raises `UserError` with one line: the key below `where`, its value, and what to write instead.
    """
    base, marks = unwrap(kind)
    if base is Any:
        return value
    kinds = [unwrap(member) for member in alternatives(base)]
    if value is None and any(member is type(None) for member, _ in kinds):
        return None  # type: ignore[return-value]
    for member, inner in kinds:
        if _accepts(member, value, alone=len(kinds) == 1):
            built = _convert(member, (*inner, *marks), value, where)
            for mark in (*inner, *marks):
                if hasattr(mark, "check"):
                    mark.check(built, where)
            return built
    raise UserError(_wrong_type([member for member, _ in kinds], value, where))


def check_part(settings: type, values: Any, where: str) -> None:
    """Check some keys of a dataclass, as a section that overrides another one gives them."""
    fields = {
        name: kind for name, kind in fields_of(settings).items() if INTERNAL not in unwrap(kind)[1]
    }
    _fields(fields, values, where)


def _accepts(kind: Any, value: Any, alone: bool) -> bool:
    """Return True if the type of `value` fits `kind`; its content may still be refused.

    That of a `Literal` beside other kinds is the type of its choices.
    """
    origin = get_origin(kind)
    if dataclasses.is_dataclass(kind) or origin in (dict, Mapping):
        return isinstance(value, Mapping)
    if origin is tuple:
        return isinstance(value, list | tuple)
    if origin is Literal:
        if alone:
            return not isinstance(value, Mapping | list | tuple)
        return isinstance(value, tuple(map(type, get_args(kind))))
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _convert(kind: Any, marks: tuple[Any, ...], value: Any, where: str) -> Any:
    origin = get_origin(kind)
    for mark in marks:
        if isinstance(mark, Part):
            check_part(mark.settings, value, where)
    if dataclasses.is_dataclass(kind):
        return _settings(kind, value, where)
    if origin is tuple:
        item = get_args(kind)[0]
        return tuple(read_settings(item, one, f"{where}.{n}") for n, one in enumerate(value))
    if origin in (dict, Mapping):
        names, content = get_args(kind)
        for name in value:
            read_settings(names, str(name), where)
        return {
            name: read_settings(content, item, f"{where}.{name}") for name, item in value.items()
        }
    if origin is Literal:
        allowed = get_args(kind)
        if value not in allowed or isinstance(value, bool):
            raise UserError(f"{where}: unknown value {shown(value)}{suggest(value, allowed)}")
    if kind is float and not math.isfinite(value):
        raise UserError(f"{where}: {value!r} is not a finite number; write one")
    if kind is str and len(value) > LONGEST_TEXT:
        raise UserError(
            f"{where}: a text of {len(value)} characters is too long; write at most {LONGEST_TEXT}"
        )
    return value


def _settings(settings: Any, values: Mapping[str, Any], where: str) -> Any:
    built = _fields(fields_of(settings), values, where)
    for name in required(settings):
        if name not in built:
            raise UserError(f"{where or 'config'}: the key '{name}' is missing; add it")
    try:
        return settings(**built)
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error


def _fields(fields: Mapping[str, Any], values: Any, where: str) -> dict[str, Any]:
    """Build the given `values` of the keys in `fields`."""
    if not isinstance(values, Mapping):
        raise UserError(_wrong_type([Mapping], values, where))
    for key, value in values.items():
        if key not in fields:
            name = shorten(key)
            place = f"{where}.{name}" if where else name
            raise UserError(
                f"{place}: unknown key '{name}' (value {shown(value)}){suggest(key, fields)}"
            )
    return {
        key: read_settings(fields[key], value, f"{where}.{key}" if where else str(key))
        for key, value in values.items()
    }


def _wrong_type(kinds: list[Any], value: Any, where: str) -> str:
    if isinstance(value, str) and any(kind in (int, float) for kind in kinds):
        advice = as_number(value, whole=int in kinds)
        return f"{where}: {shown(value)} is text, not a number; {advice}"
    names = " or ".join(json_type(kind) for kind in kinds)
    return f"{where}: {shown(value)} is of the wrong type; write a value of type {names}"


def json_type(kind: Any) -> str:
    """The JSON type that a Python type is written as."""
    return JSON_TYPES.get(get_origin(kind) or kind, "object")


def as_number(text: str, whole: bool = False) -> str:
    """Say how to write the number that `text` was meant to be, in YAML; an integer if `whole`."""
    try:
        number = float(text)
    except ValueError:
        return "write a number"
    if not math.isfinite(number):
        return "write a finite number"
    if whole and number.is_integer():
        return f"write {int(number)} without quotes"
    # YAML takes 2e-07 for text.
    written = re.sub(r"^(-?\d+)e", r"\1.0e", repr(number))
    return f"write {written} without quotes"
