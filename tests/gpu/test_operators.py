"""Upsampling operators on the device: as on the CPU, reproducible, polyphase like plain."""

import pytest
import torch
from six_variants import reference_kernels

from upsampling.operators import OPERATORS, build_operator
from upsampling.operators.base import seeded
from upsampling.operators.polyphase import by_convolution, by_matrix_products

# Relative to the largest value of a result.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
METHODS = {"convolution": by_convolution, "matrices": by_matrix_products}
INTERPOLATIONS = [
    ("nearest", {}),
    ("linear", {"definition": "half_pixel"}),
    ("linear", {"definition": "triangle"}),
]
ALL = [(name, {}) for name in OPERATORS] + [
    ("nearest", {"implementation": "plain"}),
    *[("linear", {"implementation": "plain", "definition": name})
      for name in ("half_pixel", "triangle", "align_corners")],
]  # fmt: skip
# Large enough for many blocks of threads.
BATCH, CHANNELS, TIME = 4, 16, 500


def built(name, options, stride=4, in_channels=CHANNELS, out_channels=CHANNELS):
    """In evaluation mode, where an operator that adds noise adds the same each time."""
    with seeded(0):
        return build_operator(name, in_channels, out_channels, stride, options=options).eval()


def signal(*shape, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(shape, generator=generator, dtype=dtype)


def output_and_gradients(function, layer, inputs):
    """Output, then gradients of a fixed random projection of it: inputs, parameters; on the CPU."""
    inputs = inputs.detach().requires_grad_()
    output = function(inputs)
    direction = signal(*output.shape, dtype=output.dtype).to(output.device)
    gradients = torch.autograd.grad(output, [inputs, *layer.parameters()], direction)
    return [value.detach().cpu() for value in (output, *gradients)]


def assert_close(values, expected):
    for value, reference in zip(values, expected, strict=True):
        largest = max(1.0, reference.abs().max().item())
        tolerance = TOLERANCE[reference.dtype] * largest
        torch.testing.assert_close(value, reference, atol=tolerance, rtol=0)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "options"), INTERPOLATIONS)
def test_polyphase_is_plain(device, name, options, method, dtype):
    """The plain implementation on the CPU is the reference for both on the device."""
    layer = built(name, options | {"implementation": "plain"}, out_channels=5).to(dtype)
    inputs = signal(BATCH, CHANNELS, TIME if method == "convolution" else 20, dtype=dtype)
    with reference_kernels():
        expected = output_and_gradients(layer, layer, inputs)
    layer, inputs = layer.to(device), inputs.to(device)
    weight, bias, maps = layer.convolution.weight, layer.convolution.bias, layer.maps()
    assert_close(output_and_gradients(layer, layer, inputs), expected)
    polyphase = output_and_gradients(
        lambda inputs: METHODS[method](inputs, weight, bias, maps), layer, inputs
    )
    assert_close(polyphase, expected)


@pytest.mark.parametrize(("name", "options"), ALL)
def test_operators_are_those_of_the_cpu(device, name, options):
    layer = built(name, options)
    inputs = signal(BATCH, CHANNELS, TIME)
    with reference_kernels():
        expected = output_and_gradients(layer, layer, inputs)
    layer = layer.to(device)
    assert_close(output_and_gradients(layer, layer, inputs.to(device)), expected)


@pytest.mark.parametrize(("name", "options"), ALL)
def test_equal_passes_have_equal_bytes(device, name, options):
    layer, inputs = built(name, options).to(device), signal(BATCH, CHANNELS, TIME).to(device)
    first, second = (output_and_gradients(layer, layer, inputs) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
