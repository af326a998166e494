"""A survey's rows and files: finite in silence, and steady where the response is."""

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch import nn

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.measures.measure_artifacts import COLUMNS, measure_model, write_rows
from upsampling.models import build

NEAREST = DemucsLikeSettings(channels=3, depth=3, operator="nearest")
MODIFIED = dataclasses.replace(NEAREST, operator="transposed", bias=False, first_relu=False)
PROBE = {"signals": ["silence", "white_noise", "ones"], "seconds": 1.0, "seed": 0}


def survey(folder: Path, stages: dict[str, Callable[[], nn.Module]]) -> list[dict[str, str]]:
    arrays = [folder / f"{n}_{stage}.npz" for n in PROBE["signals"] for stage in stages]
    measures = folder / "measures.csv"
    measure_model(stages, "name", 7, PROBE, arrays=arrays, audio=folder, measures=measures)
    with open(measures, newline="") as file:
        return list(csv.DictReader(file))


def found(rows: list[dict[str, str]], probe: str, measure: str, stage: str) -> list[float]:
    chosen = [r for r in rows if (r["probe"], r["measure"], r["stage"]) == (probe, measure, stage)]
    return [float(row["value"]) for row in chosen]


def test_two_stages_of_one_model(tmp_path: Path) -> None:
    stages = {"initialised": lambda: build(MODIFIED, 0), "trained": lambda: build(NEAREST, 1)}
    rows = survey(tmp_path, stages)
    assert list(rows[0]) == COLUMNS
    assert {(row["variant"], row["seed"]) for row in rows} == {("name", "7")}
    assert all(np.isfinite(float(row["value"])) for row in rows)
    # A model without biases stays silent: -200 dBFS, and no tones.
    assert found(rows, "silence", "level", "initialised") == [-200]
    assert set(found(rows, "silence", "tone_level", "initialised")) == {-200}
    assert set(found(rows, "silence", "tone_prominence", "initialised")) == {0}
    assert set(found(rows, "silence", "stationarity", "initialised")) == {0}
    # Nearest neighbour interpolation of a steady constant: not even rounding.
    for probe in ("silence", "ones"):
        assert set(found(rows, probe, "comb_prominence_mean", "trained")) == {0}
        assert found(rows, probe, "level", "trained")[0] > -100
    assert set(found(rows, "weights", "polyphase_imbalance", "trained")) == {0}
    assert found(rows, "weights", "polyphase_imbalance", "initialised")[-1] > 0.5
    assert len(found(rows, "white_noise", "shift_error_sample", "trained")) == 1
    for name in PROBE["signals"]:
        for kind in ("input", "initialised", "trained"):
            samples, rate = soundfile.read(tmp_path / f"{name}_{kind}.wav")
            assert (len(samples), rate) == (44100, 44100)
        with np.load(tmp_path / f"{name}_trained.npz") as stored:
            assert stored["output"].dtype == np.float32
            assert stored["input"].shape == stored["output"].shape == (44100,)


def test_a_stage_of_its_own_and_melgan(tmp_path: Path) -> None:
    rows = survey(tmp_path, {"initialised": lambda: build(MelganSettings(channels=2), 0)})
    assert {row["stage"] for row in rows} == {"initialised"}
    assert all(np.isfinite(float(row["value"])) for row in rows)
    spacings = [r["frequency_hz"] for r in rows if r["measure"] == "polyphase_imbalance"]
    assert spacings == ["86.1328125", "689.0625", "5512.5", "11025.0", ""]


def test_what_is_not_finite_is_refused(tmp_path: Path) -> None:
    row = dict.fromkeys(COLUMNS, "") | {"measure": "level", "value": float("nan")}
    with pytest.raises(ValueError, match=r"not finite.*level"):
        write_rows([row], tmp_path / "measures.csv")
    assert not list(tmp_path.iterdir())
