"""Try each model and operator that jobs will build, and read published scores, before any job.

    echo '{"models": [{"where": "model", "model": {"channels": 8}, "trained": true}]}' \\
        | python scripts/check_models.py

Reads the entries of `models`, `operators` (upsampling.model_check) and `Experiment.published` as
JSON. Prints the place of each in the configuration before its trial: the last line names a trial
that does not end.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from upsampling.arguments import parser
from upsampling.errors import UserError, command_line
from upsampling.model_check import END


def main() -> None:
    parser(__doc__).parse_args()
    request = json.load(sys.stdin)
    # Here, since help and mistakes have no use for PyTorch.
    from upsampling.training.trial import try_model

    trials: dict[str, Callable[..., object]] = {
        "models": try_model,
        "operators": try_one_operator,
        "published": read_published,
    }
    for entries, trial in trials.items():
        tried: set[str] = set()
        for entry in request.get(entries, []):
            where = entry.pop("where")
            if (key := json.dumps(entry, sort_keys=True)) in tried:
                continue
            tried.add(key)
            print(f"checking {where}", flush=True)
            try:
                trial(**entry)
            except UserError as error:
                raise UserError(f"{where}: {error}") from error
    print(END, flush=True)


def read_published(folder: str, files: Sequence[object]) -> None:
    """Read a folder of published scores; its `files` decide whether it is read once more."""
    from upsampling.scoring.published import read_folder

    read_folder(folder)


def try_one_operator(
    operator: str, options: Mapping[str, Any], channels: tuple[int, int], stride: int, bias: bool,
    linear: bool = False, code: str = "",
) -> None:  # fmt: skip
    """Try one operator; a `linear` one has to have taps, for its replicas are predicted.

    The fingerprint of an operator's file, `code`, decides whether it is tried once more.
    """
    from upsampling.operators import build_operator
    from upsampling.theory.taps import operator_taps
    from upsampling.training.trial import try_operator

    try_operator(operator, *channels, stride, bias, options)
    if linear:
        layer = build_operator(operator, *channels, stride, bias=bias, options=options)
        try:
            operator_taps(layer)
        except LookupError as error:
            raise UserError(f"operator '{operator}': {error}") from error


if __name__ == "__main__":
    command_line(main)
