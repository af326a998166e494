"""Configuration files, read strictly: no key is listed twice, and all text is UTF-8."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from upsampling.errors import UserError

WORDS = {"true": True, "false": False, "null": None}
MERGE = "tag:yaml.org,2002:merge"


class StrictLoader(yaml.SafeLoader):
    """Refuses a mapping that lists a key twice, of which YAML would keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; `UserError` for a key that is listed twice or is no name."""
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str | int | float | bool):
                raise UserError(f"line {line}: {key!r} cannot be a key; write a name")
            if key in seen:
                raise UserError(
                    f"line {line}: the key '{key}' is listed twice, first in line {seen[key]}; "
                    "remove one"
                )
            seen[key] = line
        return super().construct_mapping(node, deep)


def typed(value: Any) -> Any:
    """The value of a command line's --config, whose nested numbers Snakemake leaves as text."""
    if isinstance(value, Mapping):
        return {key: typed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [typed(part) for part in value]
    if isinstance(value, str):
        for kind in (int, float):
            with suppress(ValueError):
                return kind(value)
        return WORDS.get(value.lower(), value)
    return value


def check_file(path: Path) -> None:
    """Raise `UserError` for the first mistake in a YAML file; a missing file passes."""
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, StrictLoader)
    except FileNotFoundError:
        return
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from error
    except UserError as error:
        raise UserError(f"{path}, {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}: {error.problem}; correct the YAML") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: write keys and values, such as 'scale: demo'")
