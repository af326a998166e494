"""A repair's curve: the effect of each variant of the method, and its cost in SDR.

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
from repair_variants import RepairSettings, Sound, repair_by

from upsampling.audit.combs import total_level
from upsampling.audit.probing import Probe, measure_probe, waveforms
from upsampling.audit.repair import relative_size
from upsampling.audit.steady import lengthened, settle
from upsampling.config.sections import EvaluationSettings
from upsampling.errors import command_line
from upsampling.files import write_text
from upsampling.networks.kernels import find_kernel
from upsampling.networks.loading import Source, open_network
from upsampling.networks.network import Floats
from upsampling.networks.upsamplers import Structure
from upsampling.scoring.aggregation import overall, source_scores, split_origins
from upsampling.scoring.scoring_job import ScoringJob
from upsampling.tracks.store import TrackStore

EXCERPTS, TRACKS, SECONDS = 6, 2, 6.0
# Excerpts begin so far into a training track: some seconds, where all instruments play.
BEGINNING = 4.0
HEAD = (
    "| constraints | G | lambda | passes | silence, dBFS | constant, dBFS | noise: fs/4, dB "
    "| noise: fs/16, dB | music: fs/4, dB | music: fs/16, dB | weights, dB | SDR, dB |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def variants() -> Iterator[tuple[str, str, RepairSettings]]:
    """The sounds that are constraints ('none', 'silence', 'sounds', 'both'), a label, settings."""
    yield "none", "none", RepairSettings()
    yield "silence", "silence", RepairSettings()
    yield "silence", "silence", RepairSettings("covariance")
    yield "sounds", "silence and sounds", RepairSettings()
    for penalty in (0.01, 0.1):
        yield "both", "silence, sounds nearly", RepairSettings(penalty=penalty)
    yield "both", "silence, sounds nearly", RepairSettings(penalty=0.01, passes=2)
    for ridge in (0.01, 0.1, 1.0):
        yield "sounds", "silence and sounds", RepairSettings("covariance", ridge=ridge)
    yield "sounds", "silence and sounds", RepairSettings("covariance", passes=2)
    yield "both", "silence, sounds nearly", RepairSettings("covariance", penalty=0.1)
    yield "sounds", "silence and sounds", RepairSettings("lags")
    for metric in ("norm", "lags"):
        yield "silence", "every constant", RepairSettings(metric, every_constant=True)


def excerpts(store: TrackStore, split: str, length: int, count: int) -> list[Floats]:
    """The mixtures of `count` tracks of a split [2, length]."""
    start = int(BEGINNING * store.samplerate)
    tracks = store.tracks(split)[:count]
    return [store.segment(one, "mixture", start, length).astype(np.float64) for one in tracks]


def constraints(structure: Structure, kind: str, store: TrackStore) -> list[Sound]:
    """The sounds of a variant: silence, white noise and excerpts of training tracks."""
    network = structure.network
    length = lengthened(structure, int(SECONDS * network.samplerate), 0)
    use = {"silence": "metric", "sounds": "exact", "both": "soft"}[kind]
    silence = Sound("silence", np.zeros((network.channels, length)))
    noise = Sound("noise", waveforms(network, "white_noise", length), use)
    music = excerpts(store, "train", length, EXCERPTS)
    return [silence, noise, *(Sound(f"excerpt {n}", one, use) for n, one in enumerate(music))]


def coarse_combs(structure: Structure, inputs: Floats) -> Floats:
    """Excess in dB of the two coarsest combs [2] in the response to `inputs`."""
    found = measure_probe(structure, Probe("sound", inputs))["excess_db"]
    return np.array(found[:2], dtype=np.float64)


def sdr(folder: Path, store: TrackStore, scratch: Path) -> float:
    """The SDR of Table 1 of the model in `folder`, over the composed test tracks."""
    job = ScoringJob(folder, store, EvaluationSettings(metrics=("SDR",)), scratch)
    scores, _ = split_origins(job.run())
    return overall(source_scores(scores), store.sources)


def measure(folder: Path, store: TrackStore, kind: str, settings: RepairSettings) -> list[float]:
    """One row's numbers: lines in dBFS, excesses, change of weights, and SDR."""
    network, structure, _ = open_network(Source(str(folder)))
    before = [find_kernel(structure, layer) for layer in structure.layers]
    if kind != "none":
        repair_by(structure, constraints(structure, kind, store), settings)
    after = [find_kernel(structure, layer) for layer in structure.layers]
    old = np.concatenate([one.taps.ravel() for one in before if one])
    new = np.concatenate([one.taps.ravel() for one in after if one])
    levels = [
        total_level(settle(structure, np.full(network.channels, value)).period)
        for value in (0.0, 0.1)
    ]
    length = lengthened(structure, int(SECONDS * network.samplerate), 0)
    noise = coarse_combs(structure, waveforms(network, "white_noise", length, seed=1000))
    music = [coarse_combs(structure, one) for one in excerpts(store, "test", length, TRACKS)]
    with tempfile.TemporaryDirectory() as scratch:
        repaired = Path(scratch) / "model"
        repaired.mkdir()
        shutil.copy(folder / "spec.json", repaired)
        network.save(str(repaired / "best.safetensors"))
        score = sdr(repaired, store, Path(scratch) / "scores")
    combs = [*noise, *np.mean(music, axis=0)]
    return [*levels, *combs, relative_size(new - old, old), score]


def row(label: str, settings: RepairSettings, kind: str, values: list[float]) -> str:
    """One row of the table."""
    metric = {"norm": "1", "covariance": "S", "lags": "S over lags"}[settings.metric]
    ridge = "" if settings.metric == "norm" else f", ridge {settings.ridge:g}"
    how = ["-", "-", "-"]
    if kind != "none":
        how = [metric + ridge, f"{settings.penalty:g}", str(settings.passes)]
    numbers = [f"{value:.1f}" for value in values[:-1]] + [f"{values[-1]:.2f}"]
    return "| " + " | ".join([label, *how, *numbers]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", type=Path, help="folders of trained models")
    parser.add_argument("--store", required=True, type=Path, help="prepared tracks")
    parser.add_argument("--output", required=True, type=Path, help="tables (.md)")
    arguments = parser.parse_args()
    store = TrackStore.open(arguments.store)
    parts = [f"# The cost of a repair\n\n{__doc__}"]
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
