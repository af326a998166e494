"""Write the settings that the package declares as a JSON schema and as a page of documentation.

    PYTHONPATH=scripts python docs/export_settings.py

Without arguments it writes schemas/config.schema.yaml, for editors, and docs/config.md.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from upsampling.arguments import parser
from upsampling.config.declared import (
    INTERNAL,
    Bounds,
    Part,
    Pattern,
    Unique,
    alternatives,
    fields_of,
    json_type,
    required,
    unwrap,
)
from upsampling.config.model import ARCHITECTURES, OwnSettings
from upsampling.config.operators import OPTIONS
from upsampling.config.sections import Config
from upsampling.errors import command_line
from upsampling.files import write_text

ROOT = Path(__file__).parents[1]

Schema = dict[str, Any]


def json_schema() -> Schema:
    """JSON Schema (draft 2020-12) of config.yaml."""
    schema = object_schema(Config)
    models = [*ARCHITECTURES.values(), OwnSettings]
    keys: Schema = {}
    for model in models:
        keys |= object_schema(model)["properties"]
    keys["architecture"] = {"type": "string"}
    model_schema = {"type": "object", "additionalProperties": False, "properties": keys}
    schema["$defs"] = {"model": model_schema}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def object_schema(settings: type, partial: bool = False) -> Schema:
    """The schema of a dataclass's keys that a configuration may set."""
    properties = {
        name: {"$ref": "#/$defs/model"} if name == "model" else value_schema(kind)
        for name, kind in public_fields(settings)
    }
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    needed = [name for name in required(settings) if name in properties]
    return schema | ({"required": needed} if needed and not partial else {})


def public_fields(settings: type) -> Iterator[tuple[str, Any]]:
    """Name and annotated type of the fields that a configuration may set."""
    for name, kind in fields_of(settings).items():
        if INTERNAL not in unwrap(kind)[1]:
            yield name, kind


def value_schema(kind: Any) -> Schema:
    """The schema of one annotated type."""
    base, marks = unwrap(kind)
    members = [unwrap(member) for member in alternatives(base)]
    schemas = [one_schema(member, (*inner, *marks)) for member, inner in members]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    text = meaning(kind)
    return schema | ({"description": text} if text else {})


def one_schema(kind: Any, marks: tuple[Any, ...]) -> Schema:
    """The schema of a type that is no union."""
    origin = get_origin(kind)
    part = next((mark for mark in marks if isinstance(mark, Part)), None)
    if part is not None:
        return object_schema(part.settings, partial=True)
    if dataclasses.is_dataclass(kind):
        return object_schema(kind)  # type: ignore[arg-type]
    if origin is Literal:
        return {"enum": list(get_args(kind))}
    if kind is Any:
        return {}
    schema: Schema = {"type": json_type(kind)}
    if origin is tuple:
        schema["items"] = value_schema(get_args(kind)[0])
    if origin in (dict, Mapping):
        name, content = get_args(kind)
        schema["additionalProperties"] = value_schema(content)
        for mark in unwrap(name)[1]:
            schema["propertyNames"] = limits(mark, items=False)
    for mark in marks if kind is not type(None) else ():
        schema |= limits(mark, items=origin is tuple)
    return schema


def limits(mark: Any, items: bool) -> Schema:
    """The schema's words for one annotation."""
    if isinstance(mark, Pattern):
        return {"pattern": f"^{mark.regex}$"}
    if isinstance(mark, Unique):
        return {"uniqueItems": True}
    if not isinstance(mark, Bounds):
        return {}
    names = ("minItems", "", "maxItems") if items else ("minimum", "exclusiveMinimum", "maximum")
    values = (mark.minimum, mark.above, mark.maximum)
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def meaning(kind: Any) -> str:
    """The outermost description in a type's annotations, or the summary of its dataclass."""
    base, marks = unwrap(kind)
    texts = [mark for mark in marks if isinstance(mark, str)]
    if texts:
        return texts[-1]
    if dataclasses.is_dataclass(base):
        return (base.__doc__ or "").partition("\n")[0]
    members = alternatives(base) if len(alternatives(base)) > 1 else ()
    return next(filter(None, map(meaning, members)), "")


def markdown() -> str:
    """docs/config.md: each section of config.yaml with its keys."""
    blocks = [
        "# Configuration",
        "All keys of `config.yaml`, with their types and defaults. `make settings` writes this "
        "page and `schemas/config.schema.yaml`.",
    ]
    for title, settings in sections():
        text = (settings.__doc__ or "").strip().replace("\n    ", "\n")
        blocks += [f"## {title}", text, table(settings)]
    blocks += ["## Options of the operators", options_table()]
    return "\n\n".join(blocks) + "\n"


def sections() -> Iterator[tuple[str, type]]:
    """Headings and dataclasses of the documentation, in order."""
    yield "The whole file", Config
    for architecture in ARCHITECTURES.values():
        name = architecture.__dataclass_fields__["architecture"].default
        yield f"`model`, architecture `{name}`", architecture
    yield "`model`, architecture of your own", OwnSettings
    seen: set[type] = {Config}
    waiting = [(name, kind) for name, kind in public_fields(Config)]
    while waiting:
        name, kind = waiting.pop(0)
        for settings in dataclasses_in(kind):
            if settings not in seen:
                seen.add(settings)
                yield f"`{name}`", settings
                waiting += [(f"{name}.{key}", inner) for key, inner in public_fields(settings)]


def dataclasses_in(kind: Any) -> Iterator[type]:
    """Dataclasses anywhere in a type."""
    base, _ = unwrap(kind)
    if dataclasses.is_dataclass(base):
        yield base  # type: ignore[misc]
    for inner in get_args(base):
        yield from dataclasses_in(inner)


def table(settings: type) -> str:
    """A table of the keys of a dataclass."""
    defaults = {field.name: default_text(field) for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, kind in public_fields(settings):
        lines.append(f"| `{name}` | {type_text(kind)} | {defaults[name]} | {meaning(kind)} |")
    return "\n".join(lines)


def options_table() -> str:
    """A table of the options of all operators."""
    lines = ["| operator | option | type | default | meaning |", "|---|---|---|---|---|"]
    for operator, settings in OPTIONS.items():
        defaults = {field.name: default_text(field) for field in dataclasses.fields(settings)}
        for name, kind in public_fields(settings):
            cells = (f"`{operator}`", f"`{name}`", type_text(kind), defaults[name], meaning(kind))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def default_text(field: Any) -> str:
    """A field's default as YAML writes it; nothing for a section or a key without one."""
    if field.default is dataclasses.MISSING:
        return ""
    value = field.default
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{json.dumps(value).strip(chr(34)) or chr(34) * 2}`"


def type_text(kind: Any) -> str:
    """An annotated type in words."""
    base, marks = unwrap(kind)
    texts = []
    for member in alternatives(base):
        inner, own = unwrap(member)
        texts.append(one_text(inner, (*own, *marks)))
    return " or ".join(texts)


def one_text(kind: Any, marks: tuple[Any, ...]) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return f"list of {type_text(get_args(kind)[0])}"
    bounds = [text for mark in marks if isinstance(mark, Bounds) for text in bounds_text(mark)]
    name = "section" if json_type(kind) == "object" else json_type(kind)
    return ", ".join([name, *bounds]) if kind in (int, float) else name


def bounds_text(bounds: Bounds) -> Iterator[str]:
    if bounds.minimum is not None and bounds.maximum is not None:
        yield f"{bounds.minimum} to {bounds.maximum}"
        return
    if bounds.minimum is not None:
        yield f"at least {bounds.minimum}"
    if bounds.above is not None:
        yield f"above {bounds.above}"
    if bounds.maximum is not None:
        yield f"at most {bounds.maximum}"


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--schema", type=Path, default=ROOT / "schemas" / "config.schema.yaml")
    options.add_argument("--page", type=Path, default=ROOT / "docs" / "config.md")
    arguments = options.parse_args()

    import yaml

    write_text(arguments.schema, yaml.safe_dump(json_schema(), sort_keys=False, width=100))
    write_text(arguments.page, markdown())


if __name__ == "__main__":
    command_line(main)
