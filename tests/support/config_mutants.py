"""Wrong configurations, made from the schema: every key of it, with every kind of mistake.

A key that is added to the schema gets its mutants without any change here.
"""

import copy
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from configurations import CONFIG as WHOLE
from configurations import ROOT

from upsampling.config.declared import fields_of
from upsampling.config.operators import OPTIONS

Path = tuple[str | int, ...]

SCHEMA: dict = yaml.safe_load((ROOT / "schemas" / "config.schema.yaml").read_text())
LONG = "x" * 10_000
# Variants that differ from others in name and operator alone would only take time.
PLAIN = {"train", "initialisation", "figure_title", "operator"}
CONFIG = WHOLE | {
    "variants": {name: entry for name, entry in WHOLE["variants"].items() if set(entry) - PLAIN}
}
VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "whole float": 3.0,
    "fraction": 1.5,
    "zero": 0,
    "one": 1,
    "negative": -1,
    "tiny": 1e-300,
    "large": 10**6,
    "huge": 10**30,
    "overflowing": 1e308,
    "nan": float("nan"),
    "infinite": float("inf"),
    "minus infinite": float("-inf"),
    "number as text": "1e-4",
    "empty text": "",
    "blank": "  ",
    "long text": LONG,
    "parent folder": "../../outside",
    "device": "/dev/null",
    "other home": "~nobody/x",
    "option": "-rf",
    "command": "$(touch owned); `touch owned`",
    "braces": "{seed}{variant}<results>",
    "null byte": "a\0b",
    "lines": "a\nb",
    "accents": "ü\u202e\U0001f600",
    "markup": "<script>alert(1)</script>",
    "file of code": "missing.py:Class",
    "empty list": [],
    "empty mapping": {},
    "list of null": [None],
    "list of text": ["x"],
    "repeated": [1, 1],
    "long list": list(range(5000)),
    "mapping of text": {"x": "y"},
    "nested": {"x": {"x": {"x": []}}},
}


@dataclass(frozen=True, eq=False)
class Mutant:
    """A mistake of one `kind` at a key of `base`."""

    where: Path
    kind: str
    base: Mapping = field(default_factory=lambda: CONFIG, repr=False)

    @property
    def name(self) -> str:
        """The key and the kind of mistake."""
        return f"{'.'.join(map(str, self.where))}: {self.kind}"

    def build(self) -> dict | bytes | None:
        """The wrong configuration, or the text of its file; None where it changes nothing."""
        if self.where == FILE:
            return TEXTS[self.kind]
        value = lookup(self.base, self.where)
        if self.kind in VALUES:
            if value is not None and repr(value) == repr(VALUES[self.kind]):
                return None
            return replaced(self.base, self.where, lambda at, key: _set(at, key, VALUES[self.kind]))
        if value is None:
            return None
        change = STRUCTURAL[self.kind]
        try:
            changed = replaced(self.base, self.where, lambda at, key: change(at, key, value))
        except (TypeError, ValueError, AttributeError, IndexError):
            return None
        return _dump(changed) if changed and self.kind == "listed twice" else changed


def resolve(schema: Any) -> list[dict]:
    """The schemas that a value may follow: references and alternatives are followed."""
    if not isinstance(schema, dict):
        return []
    if "$ref" in schema:
        return resolve(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return [member for part in schema["anyOf"] for member in resolve(part)]
    return [schema]


def keys(schema: Any, value: Any, path: Path = ()) -> Iterator[Path]:
    """Every key that `schema` allows, and those of mappings and lists that `value` has."""
    for member in resolve(schema):
        known = member.get("properties", {})
        values = value if isinstance(value, dict) else {}
        free = member.get("additionalProperties")
        for name in [*known, *(key for key in values if key not in known)]:
            yield (*path, name)
            yield from keys(known.get(name, free), values.get(name), (*path, name))
        if isinstance(value, list):
            for place, item in enumerate(value):
                yield (*path, place)
                yield from keys(member.get("items"), item, (*path, place))


def option_keys() -> Iterator[tuple[Path, dict]]:
    """Every option of every operator, and a configuration whose variant `sinc` has that one."""
    for operator, settings in OPTIONS.items():
        config = copy.deepcopy(CONFIG)
        entry = config["variants"]["sinc"]
        entry |= {"operator": operator, "options": {}}
        if operator == "istft_head":
            entry |= {"operator": "subpixel", "model": {"last": {"operator": operator}}}
        inside: Path = ("model", "last") if operator == "istft_head" else ()
        for option in fields_of(settings):
            yield ("variants", "sinc", *inside, "options", option), config


def replaced(config: Mapping, path: Path, change: Any) -> dict | None:
    """A copy of `config` after `change(container, key)`; None where no container can be made."""
    changed = copy.deepcopy(dict(config))
    place: Any = changed
    for name in path[:-1]:
        if isinstance(place, dict) and place.get(name) is None:
            place[name] = {}
        place = place[name]
        if not isinstance(place, dict | list):
            return None
    change(place, path[-1])
    return changed


def _set(container: Any, key: Any, value: Any) -> None:
    container[key] = copy.deepcopy(value)


def _rename(container: dict, key: Any, name: str) -> None:
    container[name] = container.pop(key)


def _append_first(container: Any, key: Any, value: list) -> None:
    container[key].append(value[0])


def lookup(config: Any, path: Path) -> Any:
    """The value at `path`, or None."""
    for name in path:
        try:
            config = config[name]
        except (KeyError, IndexError, TypeError):
            return None
    return config


class _Twice(str):
    """A key that is written though it is there already."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _dump(config: Mapping) -> bytes:
    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.add_representer(_Twice, lambda dumper, key: dumper.represent_str(str(key)))
    return yaml.dump(config, Dumper=Dumper, sort_keys=False, allow_unicode=True).encode()


STRUCTURAL: dict[str, Any] = {
    "missing": lambda at, key, value: at.pop(key),
    "misspelt": lambda at, key, value: _rename(at, key, f"{key}x"),
    "its value as a float": lambda at, key, value: _set(at, key, float(value)),
    "its value as text": lambda at, key, value: _set(at, key, str(value)),
    "first item twice": _append_first,
    "listed twice": lambda at, key, value: _set(at, _Twice(key), value),
}


def _texts() -> dict[str, bytes]:
    """Files that are no YAML mapping of UTF-8 text, or that would take for ever to read."""
    text = _dump(CONFIG)
    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    return {
        "Latin-1": text + "# Défossez\n".encode("latin-1"),
        "UTF-16": text.decode().encode("utf-16"),
        "empty": b"",
        "comment alone": b"# nothing\n",
        "list": b"- 1\n- 2\n",
        "text": b"hello\n",
        "null bytes": b"\0" * 1000,
        "tabs": text.replace(b"  ", b"\t"),
        "cut": text[: len(text) * 2 // 3],
        "deep": b"x: " + b"[" * 5000 + b"]" * 5000,
        "deep mapping": b"x: " + b"{a: " * 3000 + b"1" + b"}" * 3000,
        "two documents": text + b"---\n" + text,
        "unknown tag": text + b"extra: !!python/object/apply:os.system [true]\n",
        "undefined alias": text + b"extra: *nothing\n",
        "key is a list": text + b"? [a]\n: 1\n",
        "key is null": text + b"? ~\n: 1\n",
        "key is a date": text + b"2020-01-01: 1\n",
        "value is a date": text.replace(b"scale: demo", b"scale: 2020-01-01", 1),
        "bad date": text.replace(b"scale: demo", b"scale: 2020-99-99", 1),
        "binary": text.replace(b"scale: demo", b"scale: !!binary AAAA", 1),
        "set": text.replace(b"seeds:", b"seeds: !!set {0}\nold:", 1),
        "a billion laughs": laughs.encode() + text,
        "a billion laughs in a key": laughs.encode()
        + text.replace(b"scale: demo", b"scale: *a11", 1),
        "code in YAML": b"__use_yte__: true\n" + text,
        "byte order mark": b"\xef\xbb\xbf" + text,
        "Windows lines": text.replace(b"\n", b"\r\n"),
        "long integer": text.replace(b"scale: demo", b"scale: " + b"9" * 5000, 1),
        "base 60": text.replace(b"scale: demo", b"scale: 1:30:00", 1),
    }


FILE: Path = ("config.yaml",)
TEXTS = _texts()


def places() -> list[Mutant]:
    """Every mistake at every key."""
    kinds = [*VALUES, *STRUCTURAL]
    bases = [(path, CONFIG) for path in dict.fromkeys(keys(SCHEMA, CONFIG))]
    found = [Mutant(path, kind, base) for path, base in [*bases, *option_keys()] for kind in kinds]
    return found + [Mutant(FILE, kind) for kind in TEXTS]


def chosen(count: int, seed: int) -> Iterator[Mutant]:
    """Mutants in a random order: of every key one at first, if there are that many."""
    found = places()
    random.Random(seed).shuffle(found)
    first = {mutant.where: mutant for mutant in found if mutant.where != FILE}
    texts = [mutant for mutant in found if mutant.where == FILE]
    given = set(first.values())
    rest = [mutant for mutant in found if mutant not in given and mutant.where != FILE]
    ordered = [*texts, *first.values(), *rest]
    if count < len(texts) + len(first):
        random.Random(seed).shuffle(ordered)
    yield from itertools.islice((m for m in ordered if m.build() is not None), count)
