"""All measures of one variant's model: of its weights, and of its outputs for test signals."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.config.sections import ProbesSettings
from upsampling.files import save_arrays, write_wav
from upsampling.measures.artifact_rows import WEIGHTS, tidy, write_rows
from upsampling.measures.from_waveform import measure_waveform
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.shifts import measure_shifts
from upsampling.models.base import AudioModel
from upsampling.probes.model_output import model_output

# The signal of `measure_shifts`, and its length.
SHIFT_SIGNAL = "white_noise"
SHIFT_SECONDS = 1.0
# Signals with a steady output, which is measured in double precision: rounding to single precision
# turns a constant into tones.
STEADY = ("silence", "ones", "constant")


def measure_model(
    stages: Mapping[str, Callable[[], AudioModel]],
    variant: str,
    seed: int,
    probes: ProbesSettings,
    *,
    arrays: str,
    audio: str,
    measures: Path,
) -> None:
    """Measure a model at each of its `stages`, such as 'trained', with each test signal.

    For each signal and stage, writes input and output to an .npz file (`arrays` is a pattern with
    {signal} and {stage}) and, unscaled, to WAV files (`audio` is a pattern with {signal} and
    {kind}, 'input' or a stage). Writes all measures to `measures`. Builds one model at a time.
    """
    rows: list[dict[str, Any]] = []
    for stage, build in stages.items():
        model = build()
        head = {"variant": variant, "seed": seed, "stage": stage}
        layers = model.upsampling_layers
        strides = [layer.stride for layer in layers]
        rows += tidy(measure_layers(layers), head | {"probe": WEIGHTS})
        rows += tidy(
            measure_shifts(model, SHIFT_SECONDS, probes.seed), head | {"probe": SHIFT_SIGNAL}
        )
        for signal in probes.signals:
            steady = signal in STEADY
            model = model.double() if steady else model.float()
            margin = model.settling if steady else 0
            inputs, output, rate = model_output(
                model, signal, probes.seconds, probes.seed, margin=margin
            )
            rows += tidy(measure_waveform(output, rate, strides), head | {"probe": signal})
            single = output.astype(np.float32)
            contents = {"input": inputs, "output": single, "input_samplerate": rate}
            save_arrays(arrays.format(signal=signal, stage=stage), contents)
            if stage == next(iter(stages)):
                write_wav(audio.format(signal=signal, kind="input"), inputs, rate)
            write_wav(audio.format(signal=signal, kind=stage), single, rate)
        del model
    write_rows(rows, measures)
