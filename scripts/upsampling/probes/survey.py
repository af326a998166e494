"""The same probes through a training run's model, before and after training."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from upsampling.files import atomic_path, write_wav
from upsampling.probes.artifacts import measure
from upsampling.probes.responses import model_response
from upsampling.probes.spectra import save_arrays
from upsampling.settings import DemucsLikeSettings
from upsampling.training.checkpoints import load_model

COLUMNS = ["variant", "seed", "stage", "probe", "measure", "frequency_hz", "value", "unit"]


def survey_model(
    folder: Path,
    variant: str,
    seed: int,
    probe: Mapping[str, Any],
    *,
    arrays: Sequence[Path],
    audio: Path,
    measures: Path,
) -> None:
    """Probe the model in `folder` with each of `probe['signals']`, before and after training.

    Writes, per signal and stage ('initialised', then 'trained'), input and output to the next .npz
    file of `arrays`, and both, unscaled, to `audio`/{signal}_{input or stage}.wav; and all artifact
    measures as tidy rows to `measures`.
    """
    rows: list[dict[str, Any]] = []
    models = {"initialised": load_model(folder, "initialised"), "trained": load_model(folder)}
    for (name, stage), path in zip(product(probe["signals"], models), arrays, strict=True):
        model = models[stage]
        inputs, output, samplerate = model_response(model, name, probe["seconds"], probe["seed"])
        save_arrays(path, {"input": inputs, "output": output, "input_samplerate": samplerate})
        if stage == "initialised":
            write_wav(audio / f"{name}_input.wav", inputs, samplerate)
        write_wav(audio / f"{name}_{stage}.wav", output, samplerate)
        settings = model.settings
        assert isinstance(settings, DemucsLikeSettings)
        strides = [settings.stride] * settings.depth
        head = {"variant": variant, "seed": seed, "stage": stage, "probe": name}
        rows += [head | dict(record) for record in measure(output, samplerate, strides)]
    with atomic_path(measures) as temporary:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(temporary, index=False)
