"""Figures: the arrays behind them show what the paper says, and the files are reproducible."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from upsampling.errors import UserError
from upsampling.figures.registry import FIGURES, render
from upsampling.figures.spectrograms import for_display, response
from upsampling.figures.transposed_diagrams import TransposedSpec, transposed_matrix, upsampled_ones
from upsampling.measures.spectra import FLOOR_DB, Spectrogram
from upsampling.probes.signals import signal

ROOT = Path(__file__).parents[2]
ROUNDING = 1e-9
DISPLAY_FLOOR_DB = -100.0


class Periodic(nn.Module):
    """Subpixel upsampling by 2: Conv1d(1, 2, 3) whose channels become consecutive samples."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 2, 3, padding=1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.convolution(inputs).transpose(1, 2).reshape(1, 1, -1)


class Linear(nn.Module):
    """Linear interpolation by 2."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return F.interpolate(inputs, scale_factor=2, mode="linear")


class NearestConvolved(nn.Module):
    """Nearest neighbour by 2, then Conv1d(1, 1, 9)."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 1, 9, padding=4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.convolution(F.interpolate(inputs, scale_factor=2))


def transposed() -> nn.Module:
    return nn.ConvTranspose1d(1, 1, 4, stride=2)


@torch.no_grad()
def write_stack(path: Path, layer: Callable[[], nn.Module], name: str) -> Path:
    inputs = signal(name, 3, 4000)
    arrays: dict[str, Any] = {"signal": inputs, "samplerates": [4000, 8000, 16000, 32000]}
    current = torch.from_numpy(inputs)[None, None]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for index in (1, 2, 3):
            current = layer()(current)
            arrays[f"layer_{index}"] = current[0, 0].numpy()
    np.savez(path, **arrays)
    return path


def write_probe(path: Path, output: np.ndarray, name: str = "white_noise") -> Path:
    inputs = signal(name, len(output) / 8000, 8000)
    np.savez(path, input=inputs, input_samplerate=8000, output=output.astype(np.float32))
    return path


def draw(folder: Path, name: str, inputs: list[Path], stem: str = "", **spec: object) -> Path:
    """Render into `folder`, return the folder of arrays."""
    stem = stem or name
    pdf, png = folder / f"{stem}.pdf", folder / f"{stem}.png"
    written = render(name, spec, inputs, pdf, png, folder / "arrays")
    assert all(path.stat().st_size > 0 for path in written)
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size < 2_000_000
    assert png.read_bytes().startswith(b"\x89PNG")
    return folder / "arrays"


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("stacks")
    return {
        "transposed": write_stack(folder / "transposed.npz", transposed, "ones"),
        "subpixel": write_stack(folder / "subpixel.npz", Periodic, "ones"),
        "subpixel_noise": write_stack(folder / "subpixel_noise.npz", Periodic, "white_noise"),
        "linear": write_stack(folder / "linear.npz", Linear, "white_noise"),
        "nearest": write_stack(folder / "nearest.npz", NearestConvolved, "ones"),
    }


@pytest.fixture(scope="module")
def arrays(stacks: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Figs. 7, 8 and 10, drawn once."""
    folder = tmp_path_factory.mktemp("figures")
    draw(folder, "figure7", [stacks["subpixel"], stacks["subpixel_noise"]])
    draw(folder, "figure8", [stacks["transposed"], stacks["linear"]])
    return draw(folder, "figure10", [stacks["transposed"]])


def spectrum(arrays: Path, panel: str) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, and decibels of the panel's middle frame."""
    shown = Spectrogram.load(arrays / f"{panel}.npz")
    return shown.frequencies, shown.decibels[:, shown.decibels.shape[1] // 2]


def at(arrays: Path, panel: str, frequency: float) -> float:
    frequencies, decibels = spectrum(arrays, panel)
    return float(decibels[np.argmin(np.abs(frequencies - frequency))])


@pytest.mark.parametrize("figure", ["figure7", "figure8"])
def test_ones_make_tones_and_their_replicas(arrays: Path, figure: str) -> None:
    """Sec. 5: layer 1 introduces a tone at 4 kHz; replicas stand at 8, 12 and 16 kHz."""
    for layer, tones in ((1, [4000]), (2, [4000, 8000]), (3, [4000, 8000, 12000, 16000])):
        frequencies, decibels = spectrum(arrays, f"{figure}_left_{layer}")
        audible = frequencies[decibels > DISPLAY_FLOOR_DB]
        assert all(at(arrays, f"{figure}_left_{layer}", tone) > -80 for tone in tones)
        # Nothing else is there but 0 Hz: all that is displayed is within a Hann lobe of these.
        distance = np.min(np.abs(audible[:, None] - np.array([0, *tones])), axis=1)
        assert distance.max() <= 2 * frequencies[1]
    assert at(arrays, f"{figure}_left_signal", 0) == pytest.approx(0, abs=1e-3)


def test_nearest_neighbour_of_ones_has_no_tones(stacks: dict[str, Path], tmp_path: Path) -> None:
    """Fig. 6: "filtering artifacts, but no tonal artifacts"."""
    folder = draw(tmp_path, "figure6", [stacks["nearest"], stacks["linear"]])
    for layer in (1, 2, 3):
        frequencies, decibels = spectrum(folder, f"figure6_left_{layer}")
        assert frequencies[decibels > DISPLAY_FLOOR_DB].max() <= 2 * frequencies[1]


def test_linear_interpolation_leaves_valleys(arrays: Path) -> None:
    """Fig. 8 right: zeros at fs / 2 of each layer, and their replicas in the later ones."""
    for layer, valleys in ((1, [4000]), (2, [4000, 8000]), (3, [4000, 8000, 12000, 16000])):
        shown = Spectrogram.load(arrays / f"figure8_right_{layer}.npz")
        mean = 10 * np.log10(np.mean(10 ** (shown.decibels / 10), axis=1))
        for valley in valleys:
            around = np.abs(shown.frequencies - valley)
            neighbours = mean[(around > 500) & (around < 1500)]
            assert mean[np.argmin(around)] < np.median(neighbours) - 30


def test_white_noise_levels_are_relative_to_the_input(arrays: Path) -> None:
    shown = Spectrogram.load(arrays / "figure8_right_signal.npz")
    assert shown.decibels.max() == pytest.approx(0, abs=1e-3)
    assert shown.decibels.dtype == np.float32


def test_figure10_compares_the_two_stft_setups(arrays: Path) -> None:
    for layer, samples in ((1, 24002), (2, 48006), (3, 96014)):
        left = Spectrogram.load(arrays / f"figure10_left_{layer}.npz")
        right = Spectrogram.load(arrays / f"figure10_right_{layer}.npz")
        assert left.decibels.shape[1] == (samples - 2048) // 512 + 1
        assert right.decibels.shape[1] == samples // 512 + 1
        # White stripes: the last frame starts, and is drawn, before the end of the 3 s.
        assert left.times[-1] + 512 / left.samplerate < 3 - 1024 / left.samplerate
        as_figure8 = Spectrogram.load(arrays / f"figure8_left_{layer}.npz")
        assert np.array_equal(left.decibels, as_figure8.decibels)
        # Padding adds boundary artifacts: the first frame differs from the steady state.
        between = np.abs(right.frequencies % 4000 - 2000) < 1500
        assert right.decibels[between, 0].max() > right.decibels[between, 20].max() + 20
    names = {path.stem for path in arrays.glob("figure10_*")}
    assert names == {
        f"figure10_{side}_{layer}" for side in ("left", "right") for layer in (1, 2, 3)
    }


def test_a_grid_has_one_panel_per_variant(tmp_path: Path) -> None:
    noise = signal("white_noise", 1, 8000, seed=4)
    paths = [write_probe(tmp_path / f"{i}.npz", noise * 10.0**-i) for i in range(5)]
    panels = [{"name": f"v{i}", "title": f"costs $5 or {i}_$x$"} for i in range(5)]
    folder = draw(tmp_path, "initialisation", paths, panels=panels)
    for index in range(5):
        shown = Spectrogram.load(folder / f"initialisation_v{index}.npz")
        direct, seconds = response(paths[index])
        assert seconds == 1
        assert np.array_equal(shown.decibels, direct.decibels)
    drop = [
        np.median(Spectrogram.load(folder / f"initialisation_v{i}.npz").decibels) for i in (0, 1)
    ]
    assert drop[0] - drop[1] == pytest.approx(20, abs=1e-3)
    draw(tmp_path, "variant", paths[:1], stem="variant_v0", panels=panels[:1])
    assert (folder / "variant_v0_v0.npz").is_file()


def test_figures_1_and_9_have_the_papers_panels(tmp_path: Path) -> None:
    path = write_probe(tmp_path / "probe.npz", signal("white_noise", 1, 8000))
    folder = draw(tmp_path, "figure1", [path] * 4)
    draw(tmp_path, "figure9", [path] * 2)
    names = {path.stem for path in folder.iterdir()}
    assert names == {f"figure1_{letter}" for letter in "abcd"} | {"figure9_a", "figure9_b"}


def test_before_after_shows_silence_too(tmp_path: Path) -> None:
    hum = np.resize([0.01, -0.02, 0.03, -0.01], 24000)
    paths = [
        write_probe(tmp_path / "silence_initialised.npz", hum, "silence"),
        write_probe(tmp_path / "silence_trained.npz", 0 * hum, "silence"),
        write_probe(tmp_path / "noise_initialised.npz", hum),
        write_probe(tmp_path / "noise_trained.npz", hum / 10),
    ]
    rows = [{"name": "silence"}, {"name": "white_noise", "title": "white noise"}]
    folder = draw(tmp_path, "before_after", paths, rows=rows, strides=[4, 4], title="a $ variant")
    silent = Spectrogram.load(folder / "before_after_silence_trained.npz")
    assert (silent.decibels == FLOOR_DB).all()
    with np.load(folder / "before_after_white_noise_mean.npz") as mean:
        lines = np.isin(mean["frequencies"], [2000, 4000])
        assert np.allclose(mean["initialised"][lines] - mean["trained"][lines], 20, atol=1e-3)
        power = np.abs(np.fft.fft([0.01, -0.02, 0.03, -0.01])[1:3] / 4) ** 2
        assert np.allclose(mean["initialised"][lines], 10 * np.log10(power), atol=0.01)


@pytest.mark.parametrize(("length", "stride"), [(3, 3), (3, 2), (3, 1), (8, 6), (8, 4)])
def test_the_matrix_is_pytorchs_transposed_convolution(length: int, stride: int) -> None:
    rng = np.random.default_rng(length * 10 + stride)
    inputs, weights = rng.normal(size=10), rng.normal(size=length)
    expected = F.conv_transpose1d(
        torch.from_numpy(inputs)[None, None], torch.from_numpy(weights)[None, None], stride=stride
    )
    product = inputs @ transposed_matrix(weights, stride, 10)
    assert np.allclose(product, expected[0, 0].numpy(), atol=ROUNDING)


def load(folder: Path, panel: str) -> dict[str, np.ndarray]:
    with np.load(folder / f"{panel}.npz", allow_pickle=False) as stored:
        return dict(stored)


def test_figures_2_to_4_show_the_papers_periods(tmp_path: Path) -> None:
    for name in ("figure2", "figure3", "figure4"):
        folder = draw(tmp_path, name, [])
    second, third, fourth = (load(folder, f"figure{n}_a")["samples"] for n in (2, 3, 4))
    weights = load(folder, "figure2_a")["weights"]
    assert len(np.unique(weights)) == 3
    assert np.array_equal(second, np.tile(weights, 5))
    assert np.array_equal(third, [1, 1] + [2, 1] * 5 + [1])
    assert np.array_equal(fourth, [1, 2, 3, 3, 3, 3, 3, 2, 1])


def test_figure5_has_the_papers_four_rows(tmp_path: Path) -> None:
    folder = draw(tmp_path, "figure5", [])
    rows = [load(folder, f"figure5_{row}")["samples"] for row in (1, 2, 3, 4)]
    assert [len(row) for row in rows] == [62, 62, 44, 44]
    for row, stride, length in zip(rows, (6, 6, 4, 4), (8, 8, 8, 8), strict=True):
        steady = row[length - stride : 10 * stride]
        assert np.allclose(steady[stride:], steady[:-stride], atol=ROUNDING)
    assert set(rows[0]) == {1, 2}
    assert np.array_equal(rows[2], [1] * 4 + [2] * 36 + [1] * 4)
    assert np.ptp(rows[3][4:40]) > 0.1
    assert TransposedSpec(8, 6).overlap == "partial overlap"
    assert TransposedSpec(8, 4).overlap == "full overlap"
    assert TransposedSpec(8, 8).overlap == "no overlap"


def test_another_seed_draws_other_weights() -> None:
    first, other = (upsampled_ones(TransposedSpec(8, 4, 10, "random", s)) for s in (0, 1))
    assert not np.array_equal(first["weights"], other["weights"])
    assert np.max(np.abs(first["weights"])) <= 1 / np.sqrt(8)


def test_display_keeps_the_power_of_tones_and_noise() -> None:
    rng = np.random.default_rng(0)
    power = rng.uniform(size=(1025, 3)) * 1e-6
    power[512] = 1.0
    shown = 10 ** (for_display(10 * np.log10(power), rows=205) / 10)
    assert shown.shape == (205, 3)
    assert shown.sum() * 5 == pytest.approx(power.sum(), rel=ROUNDING)
    assert np.argmax(shown[:, 0]) == 512 // 5


def test_the_program_writes_the_same_bytes_in_another_process(
    stacks: dict[str, Path], arrays: Path, tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "scripts/figure.py", "figure8"),
        *("--spec", json.dumps({"floor": -100})),
        *("--inputs", stacks["transposed"], stacks["linear"]),
        *("--pdf", tmp_path / "figure8.pdf", "--png", tmp_path / "figure8.png"),
        *("--arrays", tmp_path / "arrays"),
    ]
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, check=True)
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 10
    for file in files:
        assert (tmp_path / file).read_bytes() == (arrays.parent / file).read_bytes(), file
    assert b"CreationDate" not in (tmp_path / "figure8.pdf").read_bytes()


@pytest.mark.parametrize(
    ("name", "spec", "inputs", "message"),
    [
        ("figure11", {}, 0, r"unknown figure 'figure11' \(did you mean 'figure1"),
        ("figure8", {"flor": -90}, 2, r"figure8: unknown key 'flor' \(did you mean 'floor'"),
        ("figure8", {}, 1, "figure8: 2 input files needed, 1 given"),
        ("figure2", {"weights": "twos"}, 0, "unknown weights 'twos'"),
        ("figure2", {"stride": 4}, 0, "1 <= stride <= length"),
        ("variant", {}, 0, "variant: no panels"),
        ("before_after", {}, 0, "before_after: no rows"),
        ("variant", {"panels": [{"name": "a"}]}, 1, "no array 'input'"),
    ],
)
def test_mistakes_are_told_in_one_line(
    stacks: dict[str, Path], tmp_path: Path, name: str, spec: dict, inputs: int, message: str
) -> None:
    paths = [stacks["transposed"]] * inputs
    with pytest.raises(UserError, match=message):
        render(name, spec, paths, tmp_path / "a.pdf", tmp_path / "a.png", tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_figure_of_the_paper_has_an_entry() -> None:
    assert {f"figure{number}" for number in range(1, 11)} < set(FIGURES)
