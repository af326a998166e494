"""All measures of a model at its stages: rows and files, finite in silence, steady if constant."""

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.config.sections import ProbesSettings
from upsampling.measures.artifact_rows import ROW_COLUMNS
from upsampling.measures.measure_artifacts import measure_model
from upsampling.measures.shifts import measure_shifts
from upsampling.models import build
from upsampling.models.base import AudioModel
from upsampling.probes.model_output import model_output
from upsampling.probes.signals import probe_signal

NEAREST = DemucsLikeSettings(channels=3, depth=3, operator="nearest")
MODIFIED = dataclasses.replace(NEAREST, operator="transposed", bias=False, first_relu=False)
PROBES = ProbesSettings(signals=("silence", "white_noise", "ones"), seconds=1.0)
STAGES: dict[str, Callable[[], AudioModel]] = {
    "initialised": lambda: build(MODIFIED, 0),
    "trained": lambda: build(NEAREST, 1),
}


def measure(
    folder: Path, stages: dict[str, Callable[[], AudioModel]], probes: ProbesSettings = PROBES
) -> list[dict[str, str]]:
    measure_model(
        stages,
        "name",
        7,
        probes,
        arrays=str(folder / "{signal}_{stage}.npz"),
        audio=str(folder / "{signal}_{kind}.wav"),
        measures=folder / "measures.csv",
    )
    with open(folder / "measures.csv", newline="") as file:
        return list(csv.DictReader(file))


def values(rows: list[dict[str, str]], probe: str, measure: str, stage: str) -> list[float]:
    return [
        float(row["value"])
        for row in rows
        if (row["probe"], row["measure"], row["stage"]) == (probe, measure, stage)
    ]


def test_two_stages_of_one_model(tmp_path: Path) -> None:
    rows = measure(tmp_path, STAGES)
    assert list(rows[0]) == ROW_COLUMNS
    assert {(row["variant"], row["seed"]) for row in rows} == {("name", "7")}
    assert all(np.isfinite(float(row["value"])) for row in rows)
    # A model without biases stays silent: -200 dBFS, and no tones.
    assert values(rows, "silence", "level", "initialised") == [-200]
    assert set(values(rows, "silence", "tone_level", "initialised")) == {-200}
    assert set(values(rows, "silence", "tone_prominence", "initialised")) == {0}
    assert set(values(rows, "silence", "stationarity", "initialised")) == {0}
    # Nearest-neighbor interpolation of a steady constant has no tone, not even from rounding.
    for probe in ("silence", "ones"):
        assert set(values(rows, probe, "comb_prominence_mean", "trained")) == {0}
        assert values(rows, probe, "level", "trained")[0] > -100
    assert set(values(rows, "weights", "polyphase_imbalance", "trained")) == {0}
    assert values(rows, "weights", "polyphase_imbalance", "initialised")[-1] > 0.5
    assert len(values(rows, "white_noise", "shift_error_sample", "trained")) == 1
    for name in PROBES.signals:
        for kind in ("input", "initialised", "trained"):
            samples, rate = soundfile.read(tmp_path / f"{name}_{kind}.wav", dtype="float32")
            assert (len(samples), rate) == (44100, 44100)
        with np.load(tmp_path / f"{name}_trained.npz") as stored:
            assert int(stored["input_samplerate"]) == 44100
            assert stored["input"].shape == stored["output"].shape == (44100,)
            assert stored["output"].dtype == np.float32
            # The WAV files are not scaled.
            np.testing.assert_array_equal(stored["output"], samples)
            expected = probe_signal(name, 1.0, 44100)
            assert name == "white_noise" or np.array_equal(stored["input"], expected)


def test_rows_and_arrays_are_functions_of_the_settings(tmp_path: Path) -> None:
    for name in ("a", "b"):
        measure(tmp_path / name, {"initialised": STAGES["initialised"]})
    names = [path.name for path in (tmp_path / "a").iterdir() if path.is_file()]
    assert len(names) == 3 + 6 + 1
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_melgan_is_measured_at_initialisation_alone(tmp_path: Path) -> None:
    rows = measure(tmp_path, {"initialised": lambda: build(MelganSettings(channels=2), 0)})
    assert {row["stage"] for row in rows} == {"initialised"}
    assert all(np.isfinite(float(row["value"])) for row in rows)
    spacings = [row["frequency_hz"] for row in rows if row["measure"] == "polyphase_imbalance"]
    assert spacings == ["86.1328125", "689.0625", "5512.5", "11025.0", ""]


def test_noise_is_measured_from_its_first_sample_and_shifts_over_a_second(tmp_path: Path) -> None:
    model = STAGES["initialised"]()
    # Of two samples more the model would take a longer signal, and the noise would be shifted.
    samples = next(
        n for n in range(44100, 45100) if model.input_length(n + 2) > model.input_length(n)
    )
    seconds = samples / 44100
    rows = measure(
        tmp_path,
        {"initialised": STAGES["initialised"]},
        dataclasses.replace(PROBES, seconds=seconds),
    )
    _, output, _ = model_output(model, "white_noise", seconds, PROBES.seed)
    with np.load(tmp_path / "white_noise_initialised.npz") as stored:
        np.testing.assert_array_equal(stored["output"], output.astype(np.float32))
    sample, stride = (m["value"] for m in measure_shifts(model, 1.0, PROBES.seed))
    for name, value in (("shift_error_sample", sample), ("shift_error_stride", stride)):
        assert values(rows, "white_noise", name, "initialised") == [value]
