"""The polyphase implementation against the plain one, which interpolates and then convolves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from upsampling.operators import build_operator
from upsampling.operators.polyphase import by_convolution, by_matrix_products
from upsampling.operators.polyphase_maps import tap_responses

OPERATORS = [
    ("nearest", {}),
    ("linear", {"definition": "half_pixel"}),
    ("linear", {"definition": "triangle"}),
]
CONVOLVE = {"convolution": by_convolution, "matrices": by_matrix_products}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}


def plain_layer(operator, options, in_channels, out_channels, stride, kernel_size, bias=True):
    options = options | {"kernel_size": kernel_size, "implementation": "plain"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stride + 10 * kernel_size)
        return build_operator(
            operator, in_channels, out_channels, stride, bias=bias, options=options
        )


def output_and_gradients(function, layer, signal):
    """Output, then gradients of a fixed random projection of it: signal, weight, bias."""
    output = function(signal)
    generator = torch.Generator().manual_seed(1)
    direction = torch.randn(output.shape, generator=generator).to(output.dtype)
    gradients = torch.autograd.grad(output, [signal, *layer.parameters()], direction)
    return [output, *gradients]


def assert_equal_to_plain(layer, signal, method):
    weight, bias = layer.convolution.weight, layer.convolution.bias
    expected = output_and_gradients(layer, layer, signal)
    found = output_and_gradients(
        lambda inputs: CONVOLVE[method](inputs, weight, bias, layer.maps()), layer, signal
    )
    for plain, polyphase in zip(expected, found, strict=True):
        tolerance = TOLERANCE[signal.dtype]
        scale = max(1.0, plain.abs().max().item())
        torch.testing.assert_close(polyphase, plain, atol=tolerance * scale, rtol=0)


@pytest.mark.parametrize("method", CONVOLVE)
@pytest.mark.parametrize(("operator", "options"), OPERATORS)
@pytest.mark.parametrize("stride", [2, 3, 4, 5])
def test_every_filter_and_short_signal_is_exact_in_double_precision(
    operator, options, method, stride
):
    for kernel_size in range(1, 13):
        layer = plain_layer(operator, options, 2, 3, stride, kernel_size).double()
        window = layer.maps().window
        for time in (1, 2, 3, 6) if method == "matrices" else (window, window + 1, window + 5):
            generator = torch.Generator().manual_seed(time)
            signal = torch.randn(2, 2, time, generator=generator, dtype=torch.float64)
            assert_equal_to_plain(layer, signal.requires_grad_(), method)


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(OPERATORS),
    method=st.sampled_from(list(CONVOLVE)),
    stride=st.integers(2, 5),
    kernel_size=st.integers(1, 12),
    batch=st.integers(1, 3),
    channels=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    time=st.integers(1, 40),
    bias=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_any_shape_is_equal_in_single_precision(
    kind, method, stride, kernel_size, batch, channels, time, bias, seed
):
    layer = plain_layer(*kind, *channels, stride, kernel_size, bias)
    if method == "convolution":
        time += layer.maps().window - 1
    generator = torch.Generator().manual_seed(seed)
    signal = torch.randn(batch, channels[0], time, generator=generator)
    assert_equal_to_plain(layer, signal.requires_grad_(), method)


@pytest.mark.parametrize("method", CONVOLVE)
def test_memory_layout_of_signal_and_gradient_does_not_matter(method):
    layer = plain_layer("linear", {}, 3, 4, 4, 10).double()
    signal = torch.randn(2, 7, 3, dtype=torch.float64).transpose(1, 2).requires_grad_()
    assert_equal_to_plain(layer, signal, method)
    output = CONVOLVE[method](signal, layer.convolution.weight, None, layer.maps())
    assert output.is_contiguous()
    gradient = torch.autograd.grad(output.sum(), signal)[0]  # an expanded, zero-stride gradient
    expected = torch.autograd.grad(layer(signal).sum(), signal)[0]
    torch.testing.assert_close(gradient, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("method", CONVOLVE)
def test_repeated_steps_are_equal_bit_by_bit(method):
    layer = plain_layer("linear", {}, 16, 8, 4, 10)
    signal = torch.randn(4, 16, 50, requires_grad=True)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    first, second = (
        output_and_gradients(
            lambda inputs: CONVOLVE[method](inputs, weight, bias, layer.maps()), layer, signal
        )
        for _ in range(2)
    )
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("method", CONVOLVE)
@pytest.mark.parametrize(("operator", "options"), OPERATORS)
def test_autocast_computes_in_its_own_type_as_for_convolutions(operator, options, method, dtype):
    layer = plain_layer(operator, options, 6, 5, 4, 10)
    generator = torch.Generator().manual_seed(0)
    signal = torch.randn(2, 6, 31, generator=generator, requires_grad=True)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    exact = output_and_gradients(layer, layer, signal)
    with torch.autocast("cpu", dtype):
        found = output_and_gradients(
            lambda inputs: CONVOLVE[method](inputs, weight, bias, layer.maps()), layer, signal
        )
        assert found[0].dtype == layer(signal).dtype == dtype
    assert [gradient.dtype for gradient in found[1:]] == 3 * [torch.float32]
    for expected, value in zip(exact, found, strict=True):
        # Rounding of single terms, seen against the largest sum.
        largest = 4 * torch.finfo(dtype).eps * expected.abs().max().item()
        torch.testing.assert_close(value.float(), expected, atol=largest, rtol=0)


@pytest.mark.parametrize("method", CONVOLVE)
@pytest.mark.parametrize(("operator", "options"), OPERATORS)
def test_second_derivatives_are_right(operator, options, method):
    layer = plain_layer(operator, options, 2, 2, 2, 4).double()
    signal = torch.randn(1, 2, layer.maps().window + 1, dtype=torch.float64, requires_grad=True)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    assert torch.autograd.gradgradcheck(
        lambda *inputs: CONVOLVE[method](*inputs, layer.maps()), (signal, weight, bias)
    )


@pytest.mark.parametrize("method", CONVOLVE)
def test_maps_first_used_in_inference_mode_serve_training(method):
    tap_responses.cache_clear()
    layer = plain_layer("linear", {}, 2, 3, 4, 10).double()
    signal = torch.randn(1, 2, 9, dtype=torch.float64, requires_grad=True)
    with torch.inference_mode():
        CONVOLVE[method](signal, layer.convolution.weight, None, layer.maps())
    assert_equal_to_plain(layer, signal, method)
