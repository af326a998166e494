"""The fixed maps behind a polyphase interpolation, and the cost of each way to use them."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# From `[batch, channels, time]` and a stride to `[batch, channels, stride * time]`.
Interpolation = Callable[[Tensor, int], Tensor]

# Cost of copying one number in memory, in multiply-adds, per kind of device. A CPU core whose
# vector units do about 45 multiply-adds per nanosecond copies about two numbers in that time. The
# figures of GPUs are reckoned from data sheets, not measured: a V100 does 15.7 / 2 tera
# multiply-adds in float32 per second and moves 0.90 TB, that is 0.90 / 8 tera numbers read and
# written: 70. An A100 does 19.5 TFLOP/s and moves 1.56 TB/s, an H100 67 and 3.35.
# `make gpu-bench` measures a card's own.
MOVE = {"cpu": 25, "V100": 70, "A100": 50, "H100": 80}
OTHER_GPU = 70
# Largest work space of the matrix products, in numbers (1 GiB in single precision).
WORK_SPACE = 2**28


@dataclass(frozen=True)
class PolyphaseMaps:
    """The maps of an interpolation by `stride` and filters of `kernel_size` samples after it."""

    interpolate: Interpolation
    stride: int
    kernel_size: int

    @property
    def coefficients(self) -> Tensor:
        """B, `[kernel_size, stride, window]`, for m = -back .. window - 1 - back."""
        return _center_block(self)[0]

    @property
    def back(self) -> int:
        """Low-rate samples before a block of `stride` outputs on which the block depends."""
        return _center_block(self)[1]

    @property
    def window(self) -> int:
        """Low-rate samples on which a block of `stride` outputs depends."""
        return self.coefficients.shape[2]


@functools.cache
def copy_cost(device: torch.device) -> int:
    """Cost of copying one number on `device`, in multiply-adds, by the kind of device alone.

    It is not measured here: equal runs on equal devices must choose alike.
    """
    if device.type != "cuda":
        return MOVE["cpu"]
    name = torch.cuda.get_device_name(device)
    return next((cost for kind, cost in MOVE.items() if kind in name), OTHER_GPU)


@functools.lru_cache(maxsize=32)
@torch.inference_mode(False)  # The cached tensor takes part in training as well.
def filter_coefficients(maps: PolyphaseMaps, dtype: torch.dtype, device: torch.device) -> Tensor:
    """B, `[kernel_size, stride * window]`, kept on `device`: each copy to a GPU waits for it."""
    return maps.coefficients.flatten(1).to(device, dtype)


@functools.lru_cache(maxsize=32)
@torch.inference_mode(False)
def tap_responses(
    maps: PolyphaseMaps, time: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """M, `[kernel_size, time, stride * time]`: the output of each filter tap for each impulse."""
    size = maps.kernel_size
    impulses = torch.eye(time, dtype=torch.float64, device="cpu").unsqueeze(1)  # [time, 1, time]
    upsampled = maps.interpolate(impulses, maps.stride).squeeze(1)  # [time, stride * time]
    padded = functional.pad(upsampled, ((size - 1) // 2, size // 2))
    responses = padded.unfold(1, size, 1).permute(2, 0, 1)  # [kernel_size, time, stride * time]
    return responses.to(device, dtype).contiguous()


@functools.cache
def _center_block(maps: PolyphaseMaps) -> tuple[Tensor, int]:
    """B and `back`, read off a signal so long that its center block does not see the borders.

    The interpolation must be linear, shift-invariant but for its borders, and depend on direct
    neighbors only.
    """
    reach = maps.kernel_size // maps.stride + 3
    responses = tap_responses(maps, 2 * reach + 1, torch.float64, torch.device("cpu"))
    block = responses.unflatten(2, (-1, maps.stride))[:, :, reach]  # [kernel_size, time, stride]
    used = block.any(dim=2).any(dim=0).nonzero().flatten()
    first, last = int(used[0]), int(used[-1])
    return block[:, first : last + 1].transpose(1, 2), reach - first


def costs(
    maps: PolyphaseMaps,
    batch: int,
    time: int,
    in_channels: int,
    out_channels: int,
    move: int = MOVE["cpu"],
) -> dict[str, int]:
    """Cost of one training step of a layer, in multiply-adds, per way to compute it.

    `time` is at the low rate. A product with the weights is done three times: for the output, the
    gradient of the input and that of the weights; a product with a fixed map twice. Each number
    written on the way counts as `move` multiply-adds (`copy_cost`). Matrix products that need more
    than `WORK_SPACE` are left out. It depends on shapes and the kind of device alone, so that equal
    runs compute equal results.
    """
    stride, kernel_size, window = maps.stride, maps.kernel_size, maps.window
    pairs, samples = in_channels * out_channels, batch * time

    def matrix_products(samples: int, time: int) -> int:
        """Multiply-adds for signals of `time` samples, `samples` of them in all."""
        return (3 * pairs + 2 * stride * time * out_channels) * kernel_size * samples

    found = {
        # The upsampled signal and its gradient are written.
        "plain": 3 * stride * kernel_size * pairs * samples
        + move * 2 * stride * in_channels * samples,
        # The kernel and its gradient are computed and reordered, the output and its gradient too.
        "convolution": 3 * stride * window * pairs * (samples - batch * (window - 1))
        + matrix_products(2 * batch * window, window)
        + (2 * kernel_size + 4 * move) * stride * window * pairs
        + move * 2 * (in_channels + stride * out_channels) * samples,
        # Weights and products are reordered, and so are their gradients.
        "matrices": matrix_products(samples, time)
        + move * 2 * kernel_size * pairs
        + move * (2 * in_channels + (4 * kernel_size + 2 * stride) * out_channels) * samples,
    }
    if time < window:
        del found["convolution"]
    elif 2 * kernel_size * out_channels * samples > WORK_SPACE:
        del found["matrices"]
    return found
