"""Predicted spectra against measured ones: Figs. 6-8, the replicas, and what the figures store."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from upsampling.errors import UserError
from upsampling.figures.registry import render
from upsampling.files import save_arrays
from upsampling.measures.from_waveform import to_decibels
from upsampling.measures.spectra import N_FFT, mean_spectrum
from upsampling.probes.operator_stack import stack_outputs
from upsampling.theory import prediction
from upsampling.theory.replicas import KINDS, replicas
from upsampling.theory.taps import per_channel

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
# Lines stand on bins and are exact but for single precision.
LINE_DB = 0.05
# Windows' edges and the noise's fluctuation: median over bins of |measured - predicted|.
SPECTRUM_DB = 0.7
FLOOR_DB = -100.0
STACK = {"layers": 3, "stride": 2, "samplerate": 4000, "seconds": 3, "options": {}, "seed": 0}
SIDES = [
    (figure, side) for figure in ("figure6", "figure7", "figure8") for side in ("left", "right")
]
REPLICAS = CONFIG["figures"]["replicas"]


@pytest.fixture(scope="module")
def stacks() -> dict[tuple[str, str], tuple[dict, dict]]:
    """Arrays of every column of Figs. 6-8, and their predictions."""
    found = {}
    for figure, side in SIDES:
        stack = STACK | CONFIG["figures"][figure][side]
        arrays = stack_outputs(**stack)
        rate = int(arrays["samplerates"][0])
        found[figure, side] = (arrays, prediction.stack_prediction(arrays["signal"], rate, stack))
    return found


@pytest.mark.parametrize(("figure", "side"), SIDES)
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_figures_6_to_8_are_as_predicted(stacks, figure, side, layer):
    arrays, theory = stacks[figure, side]
    rate = int(arrays["samplerates"][layer])
    frequencies, power = mean_spectrum(arrays[f"layer_{layer}"], rate, N_FFT)
    measured, predicted = to_decibels(power), to_decibels(theory[f"predicted_{layer}"])
    loud = predicted > FLOOR_DB
    assert np.median(np.abs(measured - predicted)[loud]) < SPECTRUM_DB
    bins = np.rint(theory[f"lines_{layer}"] / frequencies[1]).astype(int)
    levels = to_decibels(theory[f"line_power_{layer}"])
    noise = arrays["signal"].std() > 0
    clear = levels > (-55 if noise else FLOOR_DB)
    np.testing.assert_allclose(measured[bins][clear], levels[clear], atol=0.5 if noise else LINE_DB)


@pytest.mark.parametrize("figure", ["figure7", "figure8"])
def test_tones_and_their_replicas_are_the_papers(stacks, figure):
    """Sec. 5: tones of the layers at 4, 8 and 16 kHz, replicas of them in between."""
    _, theory = stacks[figure, "left"]
    assert theory["lines_1"].tolist() == [4000]
    assert theory["lines_2"].tolist() == [4000, 8000]
    assert theory["lines_3"].tolist() == [4000, 8000, 12000, 16000]
    assert theory["line_layer_3"].tolist() == [1, 2, 1, 3]
    assert theory["line_replica_3"].tolist() == [False, False, True, False]
    assert theory["valleys_3"].size == 0


@pytest.mark.parametrize(("figure", "side"), [("figure6", "left"), ("figure8", "right")])
def test_valleys_and_their_replicas(stacks, figure, side):
    _, theory = stacks[figure, side]
    assert theory["valleys_3"].tolist() == [4000, 8000, 12000, 16000]
    assert theory["valley_layer_3"].tolist() == [1, 2, 1, 3]
    assert theory["valley_replica_3"].tolist() == [False, False, True, False]
    assert theory["lines_3"].size == 0


def test_origins_for_demucs_strides():
    """Stride 4, twice: the outer layer's tones at 4/16 and 8/16, the inner one's around them."""
    found = prediction.origins([4, 4])
    assert [(k, layer) for k, layer, _ in found] == [
        *((1, 1), (2, 1), (3, 1), (4, 2), (5, 1), (6, 1), (7, 1), (8, 2)),
    ]
    assert [k for k, _, replica in found if replica] == [3, 5, 6, 7]


def test_hann_lobes_and_noise_are_what_mean_spectrum_reads():
    rng = np.random.default_rng(0)
    period = rng.normal(size=12)
    n_fft = 1024
    _, power = mean_spectrum(np.resize(period, 12 * 4096), 12, n_fft)
    amplitudes = np.abs(np.fft.fft(period)) / 12
    predicted = prediction.hann_lobes(amplitudes, n_fft)
    strong = predicted > 1e-5
    np.testing.assert_allclose(to_decibels(power[strong]), to_decibels(predicted[strong]), atol=0.2)
    box = per_channel(np.ones(3), 0, 3, 1)
    noise = rng.normal(size=400_000)
    _, power = mean_spectrum(np.repeat(noise, 3), 3, n_fft)
    predicted = prediction.noise_power(box, 1.0, n_fft)
    loud = predicted > 1e-3 * predicted.max()
    np.testing.assert_allclose(to_decibels(power[loud] / predicted[loud]), 0, atol=1.0)
    assert to_decibels(power / predicted)[loud].mean() == pytest.approx(0, abs=0.05)


@pytest.fixture(scope="module")
def probed() -> dict[str, np.ndarray]:
    return replicas(**REPLICAS)


@pytest.mark.parametrize("row", range(len(REPLICAS["following"])))
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_replica_is_where_and_as_loud_as_predicted(probed, kind, row):
    name = f"{kind}_{row}"
    measured, predicted = probed[f"{name}_measured"], probed[f"{name}_predicted"]
    loud = predicted > FLOOR_DB
    assert np.median(np.abs(measured - predicted)[loud]) < SPECTRUM_DB
    bins = np.rint(probed[f"{name}_lines"] / probed["frequencies"][1]).astype(int)
    levels = probed[f"{name}_levels"]
    clear = levels > predicted[bins[0] // 2] + 20 if len(bins) else np.zeros(0, bool)
    if kind == "tones":
        np.testing.assert_allclose(measured[bins][clear], levels[clear], atol=LINE_DB)
        # Peaks stand there and nowhere else.
        peaks = np.flatnonzero(measured > FLOOR_DB)
        assert np.abs(peaks[:, None] - bins[levels > FLOOR_DB]).min(axis=1).max() <= 2
    if kind == "offsets":
        np.testing.assert_allclose(measured[bins][clear], levels[clear], atol=0.3)


@pytest.mark.parametrize("bias", [-0.5, 0.3])
def test_offsets_of_a_bias_and_a_relu(bias):
    following = REPLICAS["following"][:1]
    found = replicas(**REPLICAS | {"bias": bias, "following": following})
    bins = np.rint(found["offsets_0_lines"] / found["frequencies"][1]).astype(int)
    levels = found["offsets_0_levels"]
    np.testing.assert_allclose(found["offsets_0_measured"][bins], levels, atol=0.5)
    middle = slice(bins[0] // 4, 3 * bins[0] // 4)
    noise = found["offsets_0_measured"][middle] - found["offsets_0_predicted"][middle]
    assert abs(np.median(noise)) < 0.3


def test_what_the_panels_of_replicas_show(probed):
    spacing = REPLICAS["samplerate"] / REPLICAS["stride"] ** REPLICAS["layers"]
    tones = probed["tones_0_lines"][probed["tones_0_levels"] > FLOOR_DB]
    # Lines around all multiples of the low rate, and none on them: their constant was taken out.
    assert len(tones) == 24
    assert (np.abs((tones / spacing) % 1) > 0.2).all()
    assert np.allclose(probed["offsets_0_lines"], spacing * np.arange(1, 9))
    assert np.ptp(probed["offsets_0_levels"]) < LINE_DB
    # Zeros of linear interpolation fall on every replica of the offset.
    assert probed["offsets_2_levels"].max() < FLOOR_DB
    # A valley and its replicas: linear interpolation nulls what lies at multiples of its rate.
    valleys = spacing / 4 * np.arange(1, 32)
    valleys = valleys[np.abs(valleys / spacing % 1) > 0.2]
    bins = np.rint(valleys / probed["frequencies"][1]).astype(int)
    shown = probed["filtering_0_measured"]
    assert (shown[bins] < np.median(shown) - 25).all()


def test_theory_figures_store_what_they_show(stacks, probed, tmp_path):
    inputs = []
    for kind, which in (("", 0), ("_theory", 1)):
        for side in ("left", "right"):
            inputs.append(tmp_path / f"{side}{kind}.npz")
            save_arrays(inputs[-1], stacks["figure7", side][which])
    files = [tmp_path / "figure7_theory.pdf", tmp_path / "figure7_theory.png"]
    render("figure7_theory", {}, inputs, *files, tmp_path)
    with np.load(tmp_path / "figure7_theory_left_3.npz") as shown:
        assert shown["lines"].tolist() == [4000, 8000, 12000, 16000]
        bins = np.rint(shown["lines"] / shown["frequencies"][1]).astype(int)
        np.testing.assert_allclose(shown["measured"][bins], shown["line_power"], atol=LINE_DB)
        np.testing.assert_allclose(shown["predicted"][bins], shown["line_power"], atol=LINE_DB)
    save_arrays(tmp_path / "replicas.npz", probed)
    files = [tmp_path / "replicas.pdf", tmp_path / "replicas.png"]
    render("replicas", {"rows": ["a", "b", "c"]}, [tmp_path / "replicas.npz"], *files, tmp_path)
    with np.load(tmp_path / "replicas_offsets_1.npz") as shown:
        np.testing.assert_array_equal(shown["levels"], probed["offsets_0_levels"])


def test_an_operator_without_taps_is_shown_without_prediction(tmp_path):
    stack = STACK | {
        "operator": "linear",
        "options": {"definition": "align_corners", "kernel_size": 0},
        "signal": "white_noise",
    }
    arrays = stack_outputs(**stack)
    assert prediction.stack_prediction(arrays["signal"], 4000, stack) == {}
    inputs = [tmp_path / name for name in ("a.npz", "b.npz", "c.npz", "d.npz")]
    for path, content in zip(inputs, [arrays, arrays, {}, {}], strict=True):
        save_arrays(path, content)
    render("figure6_theory", {}, inputs, tmp_path / "f.pdf", tmp_path / "f.png", tmp_path)
    with np.load(tmp_path / "f_left_1.npz") as shown:
        assert set(shown) == {"frequencies", "measured"}


@pytest.mark.parametrize(("operator", "predicted"), [("sinc", True), ("noise_sinc", False)])
def test_an_operator_that_adds_noise_is_not_predicted(operator, predicted):
    stack = STACK | {"operator": operator, "stride": 4, "signal": "white_noise"}
    arrays = stack_outputs(**stack)
    found = prediction.stack_prediction(arrays["signal"], 4000, stack)
    assert bool(found) == predicted
    if predicted:
        _, power = mean_spectrum(arrays["layer_3"], 256_000, N_FFT)
        loud = found["predicted_3"] > 1e-10
        difference = to_decibels(power[loud]) - to_decibels(found["predicted_3"][loud])
        assert np.median(np.abs(difference)) < SPECTRUM_DB


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"following": [{"operator": "linear", "options": {"definition": "align_corners"}}]},
         "figures.replicas: operator 'linear': this interpolation is no filter"),
        ({"seconds": 0.01}, "too short for spectra"),
        ({"following": [{"operator": "haar_wavelet"}], "stride": 3}, "power of two"),
    ],
)  # fmt: skip
def test_mistakes_in_replicas_are_told_in_one_line(change, message):
    with pytest.raises(UserError, match=message):
        replicas(**REPLICAS | change)
