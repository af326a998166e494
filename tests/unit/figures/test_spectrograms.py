"""Figs. 1 and 6-10: the arrays behind the panels show what the paper says of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_figures import assert_drawn
from figure_drawing import draw, write_probe, write_stack
from torch import nn
from torch.nn import functional

from upsampling.figures.spectrograms import for_display, output_spectrogram
from upsampling.probes.signals import probe_signal

ROUNDING = 1e-9
LEVEL_DB = 1e-3
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
        return functional.interpolate(inputs, scale_factor=2, mode="linear")


class NearestConvolved(nn.Module):
    """Nearest neighbor by 2, then Conv1d(1, 1, 9)."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 1, 9, padding=4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.convolution(functional.interpolate(inputs, scale_factor=2))


def transposed() -> nn.Module:
    return nn.ConvTranspose1d(1, 1, 4, stride=2)


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
def figures(stacks, tmp_path_factory) -> dict[str, dict[str, dict]]:
    """Panels of Figs. 7, 8 and 10, drawn once."""
    folder = tmp_path_factory.mktemp("figures")
    return {
        "figure7": draw(folder, "figure7", [stacks["subpixel"], stacks["subpixel_noise"]]),
        "figure8": draw(folder, "figure8", [stacks["transposed"], stacks["linear"]]),
        "figure10": draw(folder, "figure10", [stacks["transposed"]]),
    }


def middle_frame(panel: dict) -> np.ndarray:
    return panel["decibels"][:, panel["decibels"].shape[1] // 2]


def level_at(panel: dict, frequency: float) -> float:
    nearest = np.argmin(np.abs(panel["frequencies"] - frequency))
    return float(middle_frame(panel)[nearest])


@pytest.mark.parametrize("figure", ["figure7", "figure8"])
def test_ones_make_tones_and_their_replicas(figures, figure):
    """Sec. 5: layer 1 introduces a tone at 4 kHz; replicas stand at 8, 12 and 16 kHz."""
    for layer, tones in ((1, [4000]), (2, [4000, 8000]), (3, [4000, 8000, 12000, 16000])):
        panel = figures[figure][f"left_{layer}"]
        visible = panel["frequencies"][middle_frame(panel) > DISPLAY_FLOOR_DB]
        assert all(level_at(panel, tone) > -80 for tone in tones)
        # Nothing else but 0 Hz: all that is displayed is within a Hann lobe of these.
        distance = np.min(np.abs(visible[:, None] - np.array([0, *tones])), axis=1)
        assert distance.max() <= 2 * panel["frequencies"][1]
    assert level_at(figures[figure]["left_signal"], 0) == pytest.approx(0, abs=LEVEL_DB)


def test_nearest_neighbor_of_ones_has_no_tones(stacks, tmp_path):
    """Fig. 6: "filtering artifacts, but no tonal artifacts"."""
    panels = draw(tmp_path, "figure6", [stacks["nearest"], stacks["linear"]])
    for layer in (1, 2, 3):
        panel = panels[f"left_{layer}"]
        visible = panel["frequencies"][middle_frame(panel) > DISPLAY_FLOOR_DB]
        assert visible.max() <= 2 * panel["frequencies"][1]


def test_linear_interpolation_leaves_valleys(figures):
    """Fig. 8 right: zeros at fs / 2 of each layer, and their replicas in the later ones."""
    for layer, valleys in ((1, [4000]), (2, [4000, 8000]), (3, [4000, 8000, 12000, 16000])):
        panel = figures["figure8"][f"right_{layer}"]
        mean = 10 * np.log10(np.mean(10 ** (panel["decibels"] / 10), axis=1))
        for valley in valleys:
            distance = np.abs(panel["frequencies"] - valley)
            neighbors = mean[(distance > 500) & (distance < 1500)]
            assert mean[np.argmin(distance)] < np.median(neighbors) - 30


def test_levels_are_relative_to_the_input(figures):
    panel = figures["figure8"]["right_signal"]
    assert panel["decibels"].max() == pytest.approx(0, abs=LEVEL_DB)
    assert panel["decibels"].dtype == np.float32


def test_figure10_compares_the_two_stft_setups(figures):
    panels = figures["figure10"]
    for layer, samples in ((1, 24002), (2, 48006), (3, 96014)):
        left, right = panels[f"left_{layer}"], panels[f"right_{layer}"]
        assert left["decibels"].shape[1] == (samples - 2048) // 512 + 1
        assert right["decibels"].shape[1] == samples // 512 + 1
        # White stripes: the last frame starts, and is drawn, before the end of the 3 s.
        samplerate = int(left["samplerate"])
        assert left["times"][-1] + 512 / samplerate < 3 - 1024 / samplerate
        as_figure8 = figures["figure8"][f"left_{layer}"]
        np.testing.assert_array_equal(left["decibels"], as_figure8["decibels"])
        # Padding adds boundary artifacts: the first frame differs from the steady state.
        between = np.abs(right["frequencies"] % 4000 - 2000) < 1500
        assert right["decibels"][between, 0].max() > right["decibels"][between, 20].max() + 20
    assert set(panels) == {f"{side}_{layer}" for side in ("left", "right") for layer in (1, 2, 3)}


def test_a_grid_has_one_panel_per_variant(tmp_path):
    noise = probe_signal("white_noise", 1, 8000, seed=4)
    paths = [write_probe(tmp_path / f"{i}.npz", noise * 10.0**-i) for i in range(5)]
    titles = [{"name": f"v{i}", "title": f"costs $5 or {i}_$x$"} for i in range(5)]
    panels = draw(tmp_path, "initialisation", paths, panels=titles)
    for index in range(5):
        direct, seconds = output_spectrogram(paths[index])
        assert seconds == 1
        np.testing.assert_array_equal(panels[f"v{index}"]["decibels"], direct.decibels)
    medians = [np.median(panels[f"v{i}"]["decibels"]) for i in (0, 1)]
    assert medians[0] - medians[1] == pytest.approx(20, abs=LEVEL_DB)
    assert set(draw(tmp_path, "variant", paths[:1], panels=titles[:1])) == {"v0"}


def test_figures_1_and_9_have_the_papers_panels(tmp_path):
    path = write_probe(tmp_path / "probe.npz", probe_signal("white_noise", 1, 8000))
    assert set(draw(tmp_path, "figure1", [path] * 4)) == set("abcd")
    assert set(draw(tmp_path, "figure9", [path] * 2)) == set("ab")


def test_display_keeps_the_power_of_tones_and_noise():
    rng = np.random.default_rng(0)
    power = rng.uniform(size=(1025, 3)) * 1e-6
    power[512] = 1.0
    shown = 10 ** (for_display(10 * np.log10(power), rows=205) / 10)
    assert shown.shape == (205, 3)
    assert shown.sum() * 5 == pytest.approx(power.sum(), rel=ROUNDING)
    assert np.argmax(shown[:, 0]) == 512 // 5


@pytest.fixture(scope="module")
def noise_stacks(tmp_path_factory) -> list[Path]:
    """Stacks of 1.5 s and 2.5 s of noise with a tone at 1 kHz, at rates of different digits."""
    rng = np.random.default_rng(0)
    paths = []
    for seconds in (1.5, 2.5):
        arrays = {"samplerates": np.array([4000, 8000, 22050, 44100])}
        names = ("signal", "layer_1", "layer_2", "layer_3")
        for name, rate in zip(names, arrays["samplerates"], strict=True):
            time = np.arange(int(seconds * rate)) / rate
            arrays[name] = rng.uniform(-0.1, 0.1, len(time)) + np.sin(2000 * np.pi * time)
        paths.append(tmp_path_factory.mktemp("noise") / "stack.npz")
        np.savez(paths[-1], **arrays)
    return paths


@pytest.mark.parametrize("name", ["figure6", "figure10"])
def test_the_drawings_of_stacks_are_those_of_the_page(noise_stacks, name):
    assert_drawn(name, name, noise_stacks if name == "figure6" else noise_stacks[1:])


@pytest.mark.parametrize(
    ("name", "count"),
    [("figure1", 4), ("figure9", 2), ("variant", 1), ("initialisation", 5), ("initialisation", 7)],
)
def test_the_drawings_of_grids_are_those_of_the_page(tmp_path, name, count):
    """Long titles are broken, one range is its own, and labels of both rates stand in line."""
    noise = np.random.default_rng(1).uniform(-1, 1, 8000)
    probes = [tmp_path / f"{place}.npz" for place in range(count)]
    for place, path in enumerate(probes):
        sound = {"input": noise[: 8000 - 500 * place], "output": 0.1 * noise}
        np.savez(path, input_samplerate=8000 if place < 2 else 44100, **sound)
    panels = [{"name": f"v{i}", "title": 3 * f"a title of {i} "} for i in range(count)]
    panels[-1]["floor"] = -60.0
    papers = {} if name in ("figure1", "figure9") else {"panels": panels}
    case = f"{name}_{count}" if name == "initialisation" else name
    assert_drawn(case, name, probes, **papers)
