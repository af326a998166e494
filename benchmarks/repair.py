"""A repair's curve: what each variant of the method takes away, and what it costs in SDR.

Repairs a trained model of this pipeline in every variant, measures its lines in silence and its
combs in noise and in test music that the repair has not met, and scores it on the test tracks.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from upsampling.audit.combs import total_level
from upsampling.audit.kernels import find_kernel
from upsampling.audit.loading import Source, open_network
from upsampling.audit.network import Floats, Network
from upsampling.audit.probing import Probe, measure_probe, waveforms
from upsampling.audit.repair import RepairSettings, Sound, relative_size, repair
from upsampling.audit.steady import lengthened, settle
from upsampling.audit.upsamplers import Structure
from upsampling.config.sections import EvaluationSettings
from upsampling.errors import command_line
from upsampling.files import write_text
from upsampling.scoring.aggregation import overall, source_scores, split_origins
from upsampling.scoring.scoring_job import ScoringJob
from upsampling.tracks.store import TrackStore

EXCERPTS, SECONDS = 6, 3.0
# Excerpts begin so far into a training track: some seconds, where all instruments play.
BEGINNING = 4.0
HEAD = (
    "| constraints | G | lambda | passes | silence, dBFS | constant, dBFS "
    "| noise: loudest comb, dB | music: loudest comb, dB | weights, dB | SDR, dB |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def variants() -> Iterator[tuple[str, str, RepairSettings]]:
    """Which sounds are constraints ('none', 'silence', 'sounds', 'both'), a label, and how."""
    yield "none", "none", RepairSettings()
    yield "silence", "silence", RepairSettings("norm")
    for ridge in (0.01, 0.1, 1.0):
        yield "silence", "silence", RepairSettings("covariance", ridge=ridge)
    yield "silence", "silence", RepairSettings("lags")
    yield "sounds", "silence, sounds: exact", RepairSettings("norm")
    for penalty in (0.001, 0.01, 0.1, 1.0):
        yield "both", "silence exact, sounds nearly", RepairSettings("norm", penalty=penalty)
    yield "both", "silence exact, sounds nearly", RepairSettings("norm", penalty=0.01, passes=2)
    for ridge in (0.01, 0.1, 1.0):
        yield "sounds", "silence, sounds: exact", RepairSettings("covariance", ridge=ridge)
    for penalty in (0.01, 0.1, 1.0):
        settings = RepairSettings("covariance", penalty=penalty)
        yield "both", "silence exact, sounds nearly", settings
    yield "sounds", "silence, sounds: exact", RepairSettings("covariance", passes=2)
    for ridge in (0.1, 1.0):
        yield "sounds", "silence, sounds: exact", RepairSettings("lags", ridge=ridge)
    yield "both", "silence exact, sounds nearly", RepairSettings("lags", penalty=0.1)
    for metric in ("norm", "lags"):
        settings = RepairSettings(metric, every_constant=True)
        yield "silence", "every constant", settings


def excerpts(store: TrackStore, split: str, length: int, count: int) -> list[Floats]:
    """The mixtures of `count` tracks of a split [2, length]."""
    start = int(BEGINNING * store.samplerate)
    tracks = store.tracks(split)[:count]
    return [store.segment(one, "mixture", start, length).astype(np.float64) for one in tracks]


def constraints(
    network: Network, structure: Structure, kind: str, store: TrackStore
) -> list[Sound]:
    """The sounds of a variant: silence, white noise and excerpts of training tracks."""
    length = lengthened(structure, int(SECONDS * network.samplerate), 0)
    use = {"silence": "metric", "sounds": "exact", "both": "soft"}[kind]
    silence = Sound("silence", np.zeros((network.channels, length)))
    noise = Sound("noise", waveforms(network, "white_noise", length), use)
    music = excerpts(store, "train", length, EXCERPTS)
    return [silence, noise, *(Sound(f"excerpt {n}", one, use) for n, one in enumerate(music))]


def loudest(network: Network, structure: Structure, probe: Probe) -> float:
    """The largest excess in dB over the combs."""
    found = measure_probe(network, structure, probe)["excess_db"]
    return max(one for one in found if one is not None)


def sdr(folder: Path, store: TrackStore, scratch: Path) -> float:
    """The SDR of Table 1 of the model in `folder`, over the composed test tracks."""
    job = ScoringJob(folder, store, EvaluationSettings(metrics=("SDR",)), scratch)
    scores, _ = split_origins(job.run())
    return overall(source_scores(scores), store.sources)


def measure(folder: Path, store: TrackStore, kind: str, settings: RepairSettings) -> list[float]:
    """One row's numbers: lines in dBFS, excesses, change of weights, and SDR."""
    network, structure, _ = open_network(Source(str(folder)))
    before = [find_kernel(network, structure.trace, layer) for layer in structure.layers]
    if kind != "none":
        repair(network, structure, constraints(network, structure, kind, store), settings)
    after = [find_kernel(network, structure.trace, layer) for layer in structure.layers]
    old = np.concatenate([one.taps.ravel() for one in before if one])
    new = np.concatenate([one.taps.ravel() for one in after if one])
    levels = [
        total_level(settle(network, structure, np.full(network.channels, value)).period)
        for value in (0.0, 0.1)
    ]
    length = lengthened(structure, int(SECONDS * network.samplerate), 0)
    noise = Probe("noise", waveforms(network, "white_noise", length, seed=1000))
    music = [Probe("music", one) for one in excerpts(store, "test", length, 2)]
    with tempfile.TemporaryDirectory() as scratch:
        repaired = Path(scratch) / "model"
        repaired.mkdir()
        shutil.copy(folder / "spec.json", repaired)
        network.save(str(repaired / "best.safetensors"))
        score = sdr(repaired, store, Path(scratch) / "scores")
    stands_out = float(np.mean([loudest(network, structure, one) for one in music]))
    noisy = loudest(network, structure, noise)
    return [*levels, noisy, stands_out, relative_size(new - old, old), score]


def row(label: str, settings: RepairSettings, kind: str, values: list[float]) -> str:
    """One row of the table."""
    metric = {"norm": "1", "covariance": "S", "lags": "S over lags"}[settings.metric]
    ridge = "" if settings.metric == "norm" else f", ridge {settings.ridge:g}"
    how = ["-", "-", "-"]
    if kind != "none":
        how = [metric + ridge, f"{settings.penalty:g}", str(settings.passes)]
    numbers = [f"{value:.1f}" for value in values[:5]] + [f"{values[5]:.2f}"]
    return "| " + " | ".join([label, *how, *numbers]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", type=Path, help="folders of trained models")
    parser.add_argument("--store", required=True, type=Path, help="prepared tracks")
    parser.add_argument("--output", required=True, type=Path, help="tables (.md)")
    arguments = parser.parse_args()
    store = TrackStore.open(arguments.store)
    parts = [f"# What a repair costs\n\n{__doc__}"]
    for folder in arguments.models:
        spec = json.loads((folder / "spec.json").read_text())
        model, training = spec["model"], spec["training"]
        parts.append(
            f"## {'/'.join(folder.parts[-2:])}\n\n{model['operator']}, "
            f"{model['channels']} channels, depth {model['depth']}, "
            f"learning rate {training['learning_rate']:g}, {training['epochs']} epochs, "
            f"bias {str(model['bias']).lower()}\n\n{HEAD}"
        )
        for kind, label, settings in variants():
            line = row(label, settings, kind, measure(folder, store, kind, settings))
            print(line, flush=True)
            parts[-1] += f"\n{line}"
    write_text(arguments.output, "\n\n".join(parts) + "\n")


if __name__ == "__main__":
    command_line(main)
