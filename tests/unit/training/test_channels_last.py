"""Convolutions with channels last against PyTorch's in the usual layout."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from upsampling.operators import build_operator
from upsampling.training.channels_last import ChannelsLast

# Rounding in double precision.
TOLERANCE = 1e-12
LAYERS = {
    "strided": lambda: nn.Conv1d(4, 6, 8, 4),
    "padded, no bias": lambda: nn.Conv1d(4, 6, 3, padding=1, bias=False),
    "a word": lambda: nn.Conv1d(4, 6, 5, padding="same", dilation=2),
    "dilated groups": lambda: nn.Conv1d(4, 6, 3, dilation=3, groups=2),
    "reflected": lambda: nn.Conv1d(4, 6, 7, padding=3, padding_mode="reflect"),
    "transposed": lambda: nn.ConvTranspose1d(4, 6, 8, 4, padding=2, output_padding=1),
    "transposed groups": lambda: nn.ConvTranspose1d(4, 6, 4, 2, groups=2, bias=False),
    "polyphase": lambda: build_operator("nearest", 4, 6, 4),
}


class Layouts(TorchDispatchMode):
    """Within it, `seen` collects whether convolutions' images and kernels have channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bool] = []

    def __torch_dispatch__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if function is torch.ops.aten.convolution.default:
            self.seen += [is_channels_last(tensor) for tensor in args[:2]]
        return function(*args, **(kwargs or {}))


def is_channels_last(tensor: Tensor) -> bool:
    return tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def results(layer: nn.Module, signal: Tensor) -> list[Tensor]:
    output = layer(signal)
    direction = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)
    return [output, *torch.autograd.grad(output, [signal, *layer.parameters()], direction)]


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_are_the_same(name):
    torch.manual_seed(0)
    layer = LAYERS[name]().double()
    signal = torch.randn(2, 4, 50, dtype=torch.float64, requires_grad=True)
    expected = results(layer, signal)
    with Layouts() as layouts, ChannelsLast():
        found = results(layer, signal)
    assert layouts.seen
    assert all(layouts.seen)
    for value, reference in zip(found, expected, strict=True):
        torch.testing.assert_close(value, reference, atol=TOLERANCE, rtol=0)


def test_a_sequence_of_layers_reorders_its_input_alone():
    """Layers hand on signals with channels last."""
    layers = nn.Sequential(nn.Conv1d(4, 6, 3), nn.GLU(dim=1), nn.Conv1d(3, 8, 3, 2), nn.ReLU())
    with ChannelsLast():
        output = layers(torch.randn(2, 4, 50))
    assert is_channels_last(output.unsqueeze(-2))


def test_the_usual_layout_returns_after_it():
    layer, signal = nn.Conv1d(4, 6, 3), torch.randn(2, 4, 50)
    with ChannelsLast():
        layer(signal)
    with Layouts() as layouts:
        layer(signal)
    assert not any(layouts.seen)
