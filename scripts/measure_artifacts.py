"""Measure the artifacts of a trained model, before and after training.

    python scripts/measure_artifacts.py --model results/demo/models/nearest/seed0 \\
        --variant nearest --seed 0 --measures measures.csv \\
        --arrays 'probes/{signal}_{stage}.npz' --audio 'probes/{signal}_{kind}.wav'
"""

from pathlib import Path

from upsampling.arguments import add_settings, parser
from upsampling.config.sections import ProbesSettings
from upsampling.errors import command_line


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    options.add_argument("--variant", required=True, help="name in the table")
    options.add_argument("--seed", type=int, required=True, help="number in the table")
    add_settings(options, "--probes", ProbesSettings, "the section probes of config.yaml")
    options.add_argument("--arrays", required=True, help="pattern with {signal} and {stage} (.npz)")
    options.add_argument("--audio", required=True, help="pattern with {signal} and {kind} (.wav)")
    options.add_argument("--measures", type=Path, required=True, help="CSV of all measures")
    arguments = options.parse_args()

    from upsampling.measures.measure_artifacts import measure_model
    from upsampling.training.checkpoints import load_model

    measure_model(
        {
            "initialised": lambda: load_model(arguments.model, "initialised"),
            "trained": lambda: load_model(arguments.model),
        },
        arguments.variant,
        arguments.seed,
        arguments.probes,
        arrays=arguments.arrays,
        audio=arguments.audio,
        measures=arguments.measures,
    )


if __name__ == "__main__":
    command_line(main)
