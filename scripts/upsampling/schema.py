"""Checking config.yaml against its schema, with one line for the first mistake."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from upsampling.settings import UserError, nearest_match

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"


def check(config: Mapping[str, Any]) -> None:
    """Check `config` against its schema; the first mistake is a `UserError` of one line."""
    schema = yaml.safe_load(SCHEMA.read_text())
    errors = sorted(
        Draft202012Validator(schema).iter_errors(config), key=lambda e: list(map(str, e.path))
    )
    if errors:
        raise UserError(explain(errors[0]))


def explain(error: ValidationError) -> str:
    """One line for a schema violation: the key, its value, and what to write instead."""
    key = ".".join(str(part) for part in error.absolute_path)
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        allowed = list(schema.get("properties", {}))
        unknown = next(name for name in value if name not in allowed)
        where = f"{key}.{unknown}" if key else unknown
        return (
            f"{where}: unknown key '{unknown}' (value {value[unknown]!r})"
            f"{nearest_match(unknown, allowed)}; choose from {', '.join(allowed)}"
        )
    if error.validator == "required":
        missing = next(name for name in rule if name not in value)
        return f"{key or 'config'}: the key '{missing}' is missing; add it"
    if error.validator == "enum":
        choices = ", ".join(map(str, rule))
        return f"{key}: unknown value {value!r}{nearest_match(value, rule)}; choose from {choices}"
    if error.validator == "anyOf" and "enum" in rule[0]:
        choices = ", ".join(rule[0]["enum"])
        return (
            f"{key}: unknown value {value!r}{nearest_match(value, rule[0]['enum'])}; "
            f"choose from {choices}{rule[1].get('description', '')}"
        )
    if error.validator == "type" and isinstance(value, str) and "number" in str(rule):
        return f"{key}: '{value}' is text, not a number; {as_number(value)}"
    if error.validator == "type":
        names = rule if isinstance(rule, str) else " or ".join(rule)
        return f"{key}: {value!r} is of the wrong type; write a value of type {names}"
    if error.validator in ("minimum", "exclusiveMinimum"):
        bound = "at least" if error.validator == "minimum" else "greater than"
        return f"{key}: {value!r} is too small; write a value {bound} {rule}"
    if error.validator == "maximum":
        return f"{key}: {value!r} is too large; write a value of at most {rule}"
    if error.validator in ("pattern", "contains"):
        hint = schema.get("description", f"it must match {rule}")
        return f"{key}: {value!r} is not allowed; {hint}"
    return f"{key}: {error.message}"


def as_number(text: str) -> str:
    """Say how to write the number that `text` was meant to be, in YAML."""
    try:
        number = float(text)
    except ValueError:
        return "write a number"
    mantissa, e, exponent = repr(number).partition("e")
    if e and "." not in mantissa:
        mantissa += ".0"
    return f"write {mantissa}{e}{exponent} without quotes"
