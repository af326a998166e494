"""All measures of one variant's model: of its weights, and of its responses to probe signals."""

import csv
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from upsampling.files import atomic_path, write_wav
from upsampling.probes.artifacts import Record, measure
from upsampling.probes.layers import measure_layers, upsampling_layers
from upsampling.probes.responses import model_response
from upsampling.probes.shifts import measure_shifts, total_stride
from upsampling.probes.spectra import save_arrays

COLUMNS = ["variant", "seed", "stage", "probe", "measure", "frequency_hz", "value", "unit"]
# What the column `probe` says of measures that no probe signal was needed for.
WEIGHTS = "weights"
# The signal of `measure_shifts`, and how much of it is heard.
SHIFTED = "white_noise"
SHIFT_SECONDS = 1.0
# Probes that have a steady response, which is measured in double precision, since what single
# precision rounds a constant to would be tones, and so many total strides away from its ends, since
# a recurrent layer remembers them.
STEADY = ("silence", "ones", "constant")
STEADY_FROM = 16


def survey_model(
    stages: Mapping[str, Callable[[], nn.Module]],
    variant: str,
    seed: int,
    probe: Mapping[str, Any],
    *,
    arrays: Sequence[Path],
    audio: Path,
    measures: Path,
) -> None:
    """Probe a model with each of `probe['signals']` at each of its `stages`, such as 'trained'.

    Writes, per signal and stage, input and output to the next .npz file of `arrays` (all stages of
    a signal follow one another), and both, unscaled, to `audio`/{signal}_{input or stage}.wav; and
    all measures as tidy rows to `measures`. A stage's model is built when its turn comes, one at a
    time; of `STEADY` probes the steady response is taken.
    """
    names = product(probe["signals"], stages)
    paths = dict(zip(names, arrays, strict=True))
    rows: list[dict[str, Any]] = []
    for stage, build in stages.items():
        model = build()
        head = {"variant": variant, "seed": seed, "stage": stage}
        layers = upsampling_layers(model)
        strides = [layer.stride for layer in layers]
        rows += labelled(measure_layers(layers), head | {"probe": WEIGHTS})
        rows += labelled(
            measure_shifts(model, SHIFT_SECONDS, probe["seed"]), head | {"probe": SHIFTED}
        )
        for name in probe["signals"]:
            steady = name in STEADY
            model = model.double() if steady else model.float()
            inputs, output, rate = model_response(
                model,
                name,
                probe["seconds"],
                probe["seed"],
                margin=steady * STEADY_FROM * total_stride(model),
            )
            rows += labelled(measure(output, rate, strides), head | {"probe": name})
            single = output.astype(np.float32)
            contents = {"input": inputs, "output": single, "input_samplerate": rate}
            save_arrays(paths[name, stage], contents)
            if stage == next(iter(stages)):
                write_wav(audio / f"{name}_input.wav", inputs, rate)
            write_wav(audio / f"{name}_{stage}.wav", single, rate)
        del model
    write_rows(rows, measures)


def labelled(records: Sequence[Record], head: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Records as tidy rows, which `head` tells whose they are."""
    return [dict(head) | dict(record) for record in records]


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write tidy rows as CSV; ValueError for a value that is not finite, a measure's mistake."""
    for row in rows:
        if not np.isfinite(row["value"]):
            raise ValueError(f"not finite: {row}")
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
