"""Mappings of settings: merged, and written so that equal ones give equal text."""

import json
from collections.abc import Mapping
from typing import Any


def canonical(values: Any) -> str:
    """JSON with sorted keys and no spaces: equal settings give equal text, in any order."""
    return json.dumps(whole(values), sort_keys=True, separators=(",", ":"), allow_nan=False)


def whole(values: Any) -> Any:
    """`values` with 10.0 as 10 at any depth: both mean the same number."""
    if isinstance(values, float) and values.is_integer():
        return int(values)
    if isinstance(values, Mapping):
        return {key: whole(value) for key, value in values.items()}
    return [whole(value) for value in values] if isinstance(values, list | tuple) else values


def merge(base: Mapping[str, Any], *layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings, later ones winning; nested mappings are merged, all else is replaced."""
    merged = dict(base)
    for layer in layers:
        for key, value in layer.items():
            old = merged.get(key)
            both = isinstance(old, Mapping) and isinstance(value, Mapping)
            merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged
