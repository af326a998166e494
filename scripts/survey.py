"""Measure the artifacts of a variant: of a trained model, and of random initialisations."""

import argparse
import json
from pathlib import Path

from upsampling.settings import model_settings, run


def trained(arguments: argparse.Namespace) -> None:
    """Measure a trained model, before training and after it."""
    from upsampling.probes.survey import survey_model
    from upsampling.training.checkpoints import load_model

    survey_model(
        {
            "initialised": lambda: load_model(arguments.folder, "initialised"),
            "trained": lambda: load_model(arguments.folder),
        },
        arguments.variant,
        arguments.seed,
        arguments.probe,
        arrays=arguments.arrays,
        audio=arguments.audio,
        measures=arguments.measures,
    )


def initialised(arguments: argparse.Namespace) -> None:
    """Measure models that are not trained, one per seed, and then the distribution."""
    from upsampling.models import build
    from upsampling.probes.survey import survey_model

    settings = model_settings(arguments.model, "--model")
    signals = len(arguments.probe["signals"])
    for place, seed in enumerate(arguments.seeds):
        survey_model(
            {"initialised": lambda seed=seed: build(settings, seed)},  # type: ignore[misc]
            arguments.variant,
            seed,
            arguments.probe,
            arrays=arguments.arrays[place * signals : (place + 1) * signals],
            audio=arguments.audio / f"seed{seed}",
            measures=arguments.measures[place],
        )
    distribution(arguments)


def distribution(arguments: argparse.Namespace) -> None:
    """Measure many random initialisations, with the seeds 0, 1, 2, ..."""
    from upsampling.probes.distribution import distribution, expectations
    from upsampling.probes.survey import write_rows

    settings = model_settings(arguments.narrow_model, "--narrow-model")
    rows = distribution(settings, arguments.variant, **arguments.distribution)
    write_rows(rows + expectations(settings, arguments.variant), arguments.spread)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(required=True)
    after = kinds.add_parser("trained", help=trained.__doc__)
    after.add_argument("--folder", required=True, type=Path, help="folder of the trained model")
    after.add_argument("--seed", required=True, type=int)
    after.add_argument("--measures", required=True, type=Path, help="CSV of artifact measures")
    before = kinds.add_parser("initialised", help=initialised.__doc__)
    before.add_argument("--model", required=True, type=json.loads, help="model settings, JSON")
    before.add_argument("--seeds", required=True, type=int, nargs="+")
    before.add_argument("--measures", required=True, type=Path, nargs="+", help="a CSV per seed")
    many = kinds.add_parser("distribution", help=distribution.__doc__)
    for kind in (after, before):
        kind.add_argument("--probe", required=True, type=json.loads, help="the probes, JSON")
        kind.add_argument("--arrays", required=True, type=Path, nargs="+", help=".npz, in order")
        kind.add_argument("--audio", required=True, type=Path, help="folder for WAV files")
    for kind in (before, many):
        kind.add_argument("--narrow-model", required=True, type=json.loads, help="settings, JSON")
        kind.add_argument("--distribution", required=True, type=json.loads, help="how, JSON")
        kind.add_argument("--spread", required=True, type=Path, help="CSV over all of its seeds")
    for kind, function in ((after, trained), (before, initialised), (many, distribution)):
        kind.add_argument("--variant", required=True)
        kind.set_defaults(function=function)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    run(main)
