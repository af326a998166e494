"""Separation in segments: exact for a memoryless model, seamless for a convolutional one."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from upsampling.config.model import DemucsLikeSettings
from upsampling.errors import UserError
from upsampling.models import build
from upsampling.models.base import center_trim
from upsampling.scoring.separation import separate, triangle

RATE = 100
FLOAT32 = 1e-5


class Gains(nn.Module):
    """Each source is the mixture times a gain; records the shapes of its inputs."""

    gains: Tensor

    def __init__(self, surplus: int = 0):
        super().__init__()
        self.register_buffer("gains", torch.tensor([0.3, -1.7, 1.0, 1e-3]))
        self.surplus = surplus
        self.shapes: list[tuple[int, ...]] = []

    def input_length(self, samples: int) -> int:
        return samples + self.surplus

    def forward(self, mixture: Tensor) -> Tensor:
        self.shapes.append(tuple(mixture.shape))
        return mixture[:, None] * self.gains[:, None, None]


class Convolution(nn.Module):
    """A convolution without padding: the output covers the center of the input."""

    def __init__(self, kernel_size: int):
        super().__init__()
        self.kernel_size = kernel_size
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.convolution = nn.Conv1d(2, 8, kernel_size)

    def input_length(self, samples: int) -> int:
        return samples + self.kernel_size - 1

    def forward(self, mixture: Tensor) -> Tensor:
        return self.convolution(mixture).unflatten(1, (4, 2))


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 2, 37, 99, 100, 101, 250, 1003])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.93])
def test_a_memoryless_model_is_reconstructed_exactly(samples: int, overlap: float) -> None:
    mixture = noise(samples)
    gains = Gains().gains.numpy()
    for batch_size, surplus in ((1, 0), (3, 0), (2, 7), (1, 64)):
        result = separate(
            Gains(surplus),
            mixture,
            segment_seconds=1.0,
            overlap=overlap,
            batch_size=batch_size,
            samplerate=RATE,
        )
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, mixture * gains[:, None, None])


def test_segments_of_one_sample_leave_none_out() -> None:
    result = separate(
        Gains(), noise(5), segment_seconds=0.01, overlap=0.0, batch_size=2, samplerate=RATE
    )
    np.testing.assert_array_equal(result, noise(5) * Gains().gains.numpy()[:, None, None])


@pytest.mark.parametrize("kernel_size", [1, 8, 9, 64])
def test_segments_have_the_context_of_the_track(kernel_size: int) -> None:
    """With context from the track, segments give the same as one pass over the whole track."""
    model, mixture = Convolution(kernel_size), noise(731)
    left = (kernel_size - 1) // 2
    padded = np.pad(mixture, ((0, 0), (left, kernel_size - 1 - left)))
    with torch.inference_mode():
        whole = model(torch.from_numpy(padded)[None])[0].numpy()
    for overlap in (0.0, 0.4):
        result = separate(model, mixture, segment_seconds=0.9, overlap=overlap, samplerate=RATE)
        np.testing.assert_allclose(result, whole, atol=FLOAT32)


def test_segments_of_a_demucs_like_model_are_aligned() -> None:
    """Segments that advance by multiples of the total stride (16) agree away from their ends.

    At its ends an output has the boundary artifacts of Sec. 2; 40 samples cover them here.
    """
    settings = DemucsLikeSettings(
        channels=4, depth=2, bottleneck="none", operator="transposed", options={"kernel_size": 8}
    )
    model, mixture = build(settings, seed=3).eval(), noise(2000)
    apart, overlapped = (
        separate(model, mixture, segment_seconds=3.2, overlap=overlap, samplerate=RATE)
        for overlap in (0.0, 0.5)
    )
    assert apart.shape == (4, 2, 2000)
    away = np.abs(np.arange(2000) % 160 - 80) < 40
    assert apart.std() > 100 * FLOAT32
    np.testing.assert_allclose(overlapped[..., away], apart[..., away], atol=FLOAT32)


def test_segments_are_aligned_as_in_training() -> None:
    """Training compares output sample k with sample k of the trimmed input."""
    settings = DemucsLikeSettings(
        channels=4, depth=2, operator="nearest", options={"kernel_size": 10}
    )
    model, mixture = build(settings, seed=3).eval(), noise(300)
    length: int = model.input_length(300)  # type: ignore[operator]
    before = (length - 300) // 2
    padded = np.pad(mixture, ((0, 0), (before, length - 300 - before)))
    with torch.inference_mode():
        output = model(torch.from_numpy(padded)[None])[0].numpy()
    positions = center_trim(torch.arange(length) - before, output.shape[-1]).numpy()
    result = separate(model, mixture, segment_seconds=10, overlap=0.5, samplerate=RATE)
    inside = (positions >= 0) & (positions < 300)
    assert inside.sum() == 300
    np.testing.assert_allclose(result, output[..., inside], atol=FLOAT32)


def test_memory_is_bounded_by_segment_and_batch() -> None:
    model = Gains(surplus=10)
    separate(model, noise(1000), segment_seconds=1.0, overlap=0.5, batch_size=4, samplerate=RATE)
    assert set(model.shapes) <= {(4, 2, 110), (3, 2, 110)}
    assert sum(shape[0] for shape in model.shapes) == 19


class Tone(nn.Module):
    """Adds a tone of period 4 that restarts in each segment: the artifact of a stride."""

    def input_length(self, samples: int) -> int:
        return samples

    def forward(self, mixture: Tensor) -> Tensor:
        tone = torch.tensor([1.0, 0.0, -1.0, 0.0]).repeat(mixture.shape[-1] // 4 + 1)
        return (mixture + tone[: mixture.shape[-1]])[:, None].expand(-1, 4, -1, -1)


def test_shifts_average_a_tone_that_depends_on_position() -> None:
    """Shifted by s samples, the tone's phase moves by s quarters of its period."""
    mixture, shifts, seed = noise(400), 7, 5
    offsets = np.random.default_rng(seed).integers(0, RATE // 2 + 1, shifts)
    positions = np.arange(400)[None] + offsets[:, None]
    tones = np.array([1.0, 0.0, -1.0, 0.0])[positions % 4]
    result = separate(
        Tone(),
        mixture,
        segment_seconds=20,
        overlap=0.0,
        samplerate=RATE,
        shifts=shifts,
        seed=seed,
    )
    assert result.shape == (4, 2, 400)
    assert result.dtype == np.float32
    for source in result:
        np.testing.assert_allclose(source, mixture + tones.mean(axis=0), atol=FLOAT32)
    assert np.abs(tones.mean(axis=0)).max() < 0.5


def test_shifts_are_repeatable_and_do_not_change_a_memoryless_model() -> None:
    mixture, gains = noise(731), Gains().gains.numpy()
    results = [
        separate(
            Gains(8), mixture, segment_seconds=1.0, overlap=0.25, samplerate=RATE, shifts=3, seed=s
        )
        for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(results[0], results[1])
    for result in results:
        np.testing.assert_allclose(result, mixture * gains[:, None, None], rtol=FLOAT32)


@pytest.mark.parametrize("samples", [1, 2, 3, 10, 11])
def test_triangle_is_positive_symmetric_and_peaks_at_one(samples: int) -> None:
    weight = triangle(samples)
    assert weight.min() > 0
    assert weight.max() == 1
    np.testing.assert_array_equal(weight, weight[::-1])


@pytest.mark.parametrize(
    ("segment_seconds", "overlap", "batch_size"), [(0, 0, 1), (1, 1, 1), (1, -0.1, 1), (1, 0, 0)]
)
def test_impossible_settings_are_refused(
    segment_seconds: float, overlap: float, batch_size: int
) -> None:
    with pytest.raises(UserError, match="choose a positive segment"):
        separate(
            Gains(),
            noise(10),
            segment_seconds=segment_seconds,
            overlap=overlap,
            batch_size=batch_size,
            samplerate=RATE,
        )
