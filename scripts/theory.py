"""Measure and predict spectra of operators, of replicas by kind, or of gradients of losses.

    python scripts/theory.py replicas --output replicas.npz \\
        --settings '{"following": [{"operator": "nearest"}], "seconds": 1}'

--settings has the keys of that figure in config.yaml; for operator_spectra also `operators`: by
name, an object with operator, options and bias. training_losses has the keys of loss_gradient, and
`losses`: by name, a loss of the section training.
"""

from pathlib import Path
from typing import Any

from upsampling.arguments import json_or_file, parser
from upsampling.config.declared import read_settings
from upsampling.config.figures import LossGradient, OperatorSpectra, Replicas
from upsampling.errors import command_line
from upsampling.files import save_arrays

KINDS = {
    "operator_spectra": OperatorSpectra,
    "replicas": Replicas,
    "loss_gradient": LossGradient,
    "training_losses": LossGradient,
}
# Keys beside the settings of a kind.
NAMED = {"operator_spectra": "operators", "training_losses": "losses"}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("kind", choices=KINDS)
    options.add_argument("--settings", type=json_or_file, default={}, help="JSON or file")
    options.add_argument("--output", type=Path, required=True, help="arrays (.npz)")
    arguments = options.parse_args()
    values = dict(arguments.settings)
    named = values.pop(NAMED.get(arguments.kind, ""), {})
    settings: Any = read_settings(KINDS[arguments.kind], values, "--settings")
    save_arrays(arguments.output, spectra(arguments.kind, settings, named))


def spectra(kind: str, settings: Any, named: dict[str, Any]) -> dict[str, Any]:
    """Measure and predict the spectra of one kind."""
    from upsampling.theory.loss_gradients import loss_gradients, training_losses
    from upsampling.theory.operator_spectra import operator_spectra
    from upsampling.theory.replicas import replicas

    if kind == "operator_spectra":
        return operator_spectra(settings, named)
    if kind == "training_losses":
        return training_losses(settings, named)
    return replicas(settings) if kind == "replicas" else loss_gradients(settings)


if __name__ == "__main__":
    command_line(main)
