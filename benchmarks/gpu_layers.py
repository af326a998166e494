"""A device's cost of copying a number, and each way to compute an interpolation on it."""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from upsampling.config.model import DemucsLikeSettings
from upsampling.models import build
from upsampling.models.base import AudioModel
from upsampling.operators.polyphase import by_convolution, by_matrix_products
from upsampling.operators.polyphase_maps import WORK_SPACE, copy_cost, costs
from upsampling.training.device import allow_tf32


@contextmanager
def precision_of(name: str, device: torch.device) -> Iterator[None]:
    """Compute in fp32, TF32 or bf16."""
    allow_tf32(name == "TF32")
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=name == "bf16"):
            yield
    finally:
        allow_tf32(False)


def seconds_of(work: Callable[[], Any], device: torch.device, calls: int, blocks: int = 3) -> float:
    """Seconds of a call: of the fastest block of `calls`, after one call that is not counted."""
    synchronize = torch.get_device_module(device).synchronize
    work()
    times = []
    for _ in range(blocks):
        synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            work()
        synchronize()
        times.append((time.perf_counter() - start) / calls)
    return min(times)


def move_costs(
    device: torch.device, precisions: list[str], size: int, calls: int
) -> dict[str, float]:
    """Multiply-adds in the time of copying one number, per precision, by large matrices.

    `size` is that of the matrices; the copies are of as many numbers.
    """
    found = {}
    for precision in precisions:
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        matrix = torch.randn(size, size, device=device).to(kind)
        target, product = torch.empty_like(matrix), torch.empty_like(matrix)
        with precision_of(precision, device):
            products = seconds_of(lambda m=matrix, p=product: torch.mm(m, m, out=p), device, calls)
        copies = seconds_of(lambda m=matrix, t=target: t.copy_(m), device, calls)
        found[precision] = (copies / size**2) / (products / size**3)
    return found


def layer_times(
    operator: str, arguments: argparse.Namespace, device: torch.device
) -> Iterator[dict[str, Any]]:
    """Milliseconds of each upsampler of a model, forward and backward, per way and precision."""
    settings = DemucsLikeSettings(
        operator=operator, options={"implementation": "plain"}, channels=arguments.width
    )
    model = build(settings).to(device)
    for layer, samples in input_lengths(model, arguments.seconds, device).items():
        channels, outputs = layer.in_channels, layer.out_channels
        signal = torch.randn(arguments.batch, channels, samples, device=device, requires_grad=True)
        by_name = costs(
            layer.maps(), arguments.batch, samples, channels, outputs, copy_cost(device)
        )
        auto = min(by_name, key=lambda name: by_name[name])
        # The fixed map of the matrix products grows with the square of the samples.
        if layer.kernel_size * layer.stride * samples**2 > WORK_SPACE:
            by_name.pop("matrices", None)
        for precision in arguments.precisions:
            times = {}
            for name in by_name:
                work = passes(layer, name, signal, precision)
                times[name] = 1000 * seconds_of(work, device, arguments.steps)
            shape = {"operator": operator, "channels": f"{channels} to {outputs}"}
            yield shape | {"time": samples, "precision": precision, "auto": auto, "times": times}


def input_lengths(model: AudioModel, seconds: float, device: torch.device) -> dict[Any, int]:
    """The samples that each upsampler of `model` gets from segments of `seconds`."""
    lengths: dict[Any, int] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor]) -> None:
        lengths[layer] = inputs[0].shape[-1]

    hooks = [layer.register_forward_pre_hook(note) for layer, _, _ in model.find_upsamplers()]
    samples = model.input_length(round(seconds * model.samplerate))
    with torch.no_grad():
        model(torch.zeros(1, model.audio_channels, samples, device=device))
    for hook in hooks:
        hook.remove()
    return lengths


def passes(layer: Any, name: str, signal: Tensor, precision: str) -> Callable[[], None]:
    """A function that passes `signal` forward and a gradient backward, `name`d as in `costs`."""
    convolve = {"convolution": by_convolution, "matrices": by_matrix_products}.get(name)
    weight, bias = layer.convolution.weight, layer.convolution.bias

    def both() -> None:
        with precision_of(precision, signal.device):
            if convolve is None:
                output = layer.convolution(layer.interpolate(signal))
            else:
                output = convolve(signal, weight, bias, layer.maps())
            torch.autograd.grad(output, [signal, weight, bias], torch.ones_like(output))

    return both
