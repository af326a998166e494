"""Measure the artifacts of models that are not trained here, one per seed.

    python scripts/measure_untrained.py --variant sinc --seeds 0 --measures 'seed{seed}.csv' \\
        --model-settings '{"operator": "sinc", "channels": 4, "depth": 5}' \\
        --arrays 'seed{seed}/{signal}_{stage}.npz' --audio 'seed{seed}/{signal}_{kind}.wav'

A model with `weights` that were trained elsewhere is also measured with these.
"""

from functools import partial

from upsampling.arguments import add_settings, json_or_file, parser
from upsampling.config.model import OwnSettings, model_settings
from upsampling.config.sections import ProbesSettings
from upsampling.errors import command_line


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--variant", required=True, help="name in the table")
    options.add_argument("--model-settings", type=json_or_file, required=True, help="JSON or file")
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    add_settings(options, "--probes", ProbesSettings, "the section probes of config.yaml")
    options.add_argument(
        "--arrays", required=True, help="pattern: {seed}, {signal}, {stage} (.npz)"
    )
    options.add_argument("--audio", required=True, help="pattern: {seed}, {signal}, {kind} (.wav)")
    options.add_argument("--measures", required=True, help="CSV of all measures, pattern: {seed}")
    arguments = options.parse_args()

    from upsampling.measures.measure_artifacts import measure_model
    from upsampling.models import build
    from upsampling.models.own import load_own_weights

    model = model_settings(arguments.model_settings, "--model-settings")
    for seed in arguments.seeds:
        stages = {"initialised": partial(build, model, seed)}
        if isinstance(model, OwnSettings) and model.weights:
            stages["trained"] = partial(load_own_weights, model, seed)
        measure_model(
            stages,
            arguments.variant,
            seed,
            arguments.probes,
            arrays=arguments.arrays.replace("{seed}", str(seed)),
            audio=arguments.audio.replace("{seed}", str(seed)),
            measures=arguments.measures.format(seed=seed),
        )


if __name__ == "__main__":
    command_line(main)
