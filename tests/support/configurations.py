"""The repository's config.yaml, and copies of it in which one value differs."""

import copy
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CONFIG: dict = yaml.safe_load((ROOT / "config.yaml").read_text())
# Variants that are part of the experiment.
ENABLED = [name for name, entry in CONFIG["variants"].items() if entry.get("enabled", True)]


def changed(path: str, value: object) -> dict:
    """A copy of the configuration with the value at PATH, such as "model/stride", replaced."""
    config = copy.deepcopy(CONFIG)
    *parents, last = path.split("/")
    place = config
    for name in parents:
        place = place[int(name) if isinstance(place, list) else name]
    place[last] = value
    return config
