"""Measure what theory predicts of operators, of replicas, of losses with strides; write both.

    python scripts/theory.py replicas --settings '{...}' --output replicas.npz
    python scripts/theory.py loss_gradient --settings '{...}' --output loss_gradient.npz

Settings are those of the section `figures` in config.yaml; `responses` also has `operators`.
"""

import argparse
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from upsampling.settings import UserError, run


def main() -> None:
    """Read the command line, probe and write."""
    from upsampling.probes.losses import gradients
    from upsampling.probes.operator_spectra import operator_spectra
    from upsampling.probes.replicas import replicas
    from upsampling.probes.spectra import save_arrays

    probes: dict[str, Callable[..., dict[str, Any]]] = {
        "responses": operator_spectra,
        "replicas": replicas,
        "loss_gradient": gradients,
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("probe", choices=probes)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON")
    parser.add_argument("--output", required=True, type=Path, help="arrays (.npz)")
    arguments = parser.parse_args()
    probe = probes[arguments.probe]
    try:
        inspect.signature(probe).bind(**arguments.settings)
    except TypeError as error:
        raise UserError(f"--settings of {arguments.probe}: {error}") from error
    save_arrays(arguments.output, probe(**arguments.settings))


if __name__ == "__main__":
    run(main)
