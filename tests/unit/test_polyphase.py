"""The polyphase path against the plain one, which interpolates and then convolves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from upsampling.errors import UserError
from upsampling.operators import build_operator, phases
from upsampling.operators.linear import LINEAR
from upsampling.operators.nearest import interpolate_nearest
from upsampling.operators.phases import costs, find_phases
from upsampling.operators.polyphase import ORDERS, convolve

OPERATORS = [
    ("nearest", {}),
    ("linear", {"definition": "half_pixel"}),
    ("linear", {"definition": "triangle"}),
]
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}


def plain_layer(operator, options, in_channels, out_channels, stride, length, bias=True):
    options = options | {"kernel_size": length, "implementation": "plain"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stride + 10 * length)
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


def assert_equal_to_plain(layer, signal, order):
    maps = find_phases(layer.interpolation, layer.stride, layer.convolution.kernel_size[0])
    weight, bias = layer.convolution.weight, layer.convolution.bias
    expected = output_and_gradients(layer, layer, signal)
    found = output_and_gradients(
        lambda inputs: convolve(inputs, weight, bias, maps, order), layer, signal
    )
    for plain, polyphase in zip(expected, found, strict=True):
        tolerance = TOLERANCE[signal.dtype]
        scale = max(1.0, plain.abs().max().item())
        torch.testing.assert_close(polyphase, plain, atol=tolerance * scale, rtol=0)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("operator", "options"), OPERATORS)
@pytest.mark.parametrize("stride", [2, 3, 4, 5])
def test_every_filter_and_short_signal_is_exact_in_double_precision(
    operator, options, order, stride
):
    for length in range(1, 13):
        layer = plain_layer(operator, options, 2, 3, stride, length).double()
        for time in (1, 2, 3, 6):
            generator = torch.Generator().manual_seed(time)
            signal = torch.randn(2, 2, time, generator=generator, dtype=torch.float64)
            assert_equal_to_plain(layer, signal.requires_grad_(), order)


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(OPERATORS),
    order=st.sampled_from(list(ORDERS)),
    stride=st.integers(2, 5),
    length=st.integers(1, 12),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 40)),
    out_channels=st.integers(1, 20),
    bias=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_any_shape_is_equal_in_single_precision(
    kind, order, stride, length, shape, out_channels, bias, seed
):
    layer = plain_layer(*kind, shape[1], out_channels, stride, length, bias)
    signal = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    assert_equal_to_plain(layer, signal.requires_grad_(), order)


@pytest.mark.parametrize("order", ORDERS)
def test_memory_layout_of_signal_and_gradient_does_not_matter(order):
    layer = plain_layer("linear", {}, 3, 4, 4, 10).double()
    signal = torch.randn(2, 7, 3, dtype=torch.float64).transpose(1, 2).requires_grad_()
    assert_equal_to_plain(layer, signal, order)
    maps = find_phases(layer.interpolation, 4, 10)
    output = convolve(signal, layer.convolution.weight, None, maps, order)
    gradient = torch.autograd.grad(output.sum(), signal)[0]  # an expanded, zero-stride gradient
    expected = torch.autograd.grad(layer(signal).sum(), signal)[0]
    torch.testing.assert_close(gradient, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("order", ORDERS)
def test_gradients_that_nobody_wants_are_left_out(order):
    layer = plain_layer("linear", {}, 3, 4, 4, 10)
    maps = find_phases(layer.interpolation, 4, 10)
    signal = torch.randn(2, 3, 7)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    convolve(signal, weight, bias.detach(), maps, order).sum().backward()
    assert bias.grad is None
    found = weight.grad.clone()
    weight.grad = None
    layer(signal).sum().backward()
    torch.testing.assert_close(found, weight.grad, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("operator", "options"), OPERATORS)
def test_autocast_computes_in_its_own_type_as_for_convolutions(operator, options, order, dtype):
    layer = plain_layer(operator, options, 6, 5, 4, 10)
    generator = torch.Generator().manual_seed(0)
    signal = torch.randn(2, 6, 31, generator=generator, requires_grad=True)
    maps = find_phases(layer.interpolation, 4, 10)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    exact = output_and_gradients(layer, layer, signal)
    with torch.autocast("cpu", dtype):
        found = output_and_gradients(
            lambda inputs: convolve(inputs, weight, bias, maps, order), layer, signal
        )
        assert found[0].dtype == layer(signal).dtype == dtype
    assert [gradient.dtype for gradient in found[1:]] == 3 * [torch.float32]
    for expected, value in zip(exact, found, strict=True):
        # Rounding of single terms, seen against the largest sum.
        largest = 4 * torch.finfo(dtype).eps * expected.abs().max().item()
        torch.testing.assert_close(value.float(), expected, atol=largest, rtol=0)


@pytest.mark.parametrize("order", ORDERS)
def test_a_second_derivative_is_refused(order):
    layer = plain_layer("nearest", {}, 1, 1, 2, 3)
    maps = find_phases(layer.interpolation, 2, 3)
    signal = torch.randn(1, 1, 4, requires_grad=True)
    output = convolve(signal, layer.convolution.weight, None, maps, order)
    (gradient,) = torch.autograd.grad(output.square().sum(), signal, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("interpolate", [interpolate_nearest, LINEAR["half_pixel"]])
@pytest.mark.parametrize(("stride", "length"), [(2, 3), (4, 10), (5, 12)])
def test_each_filter_tap_passes_a_constant(interpolate, stride, length):
    maps = find_phases(interpolate, stride, length)
    np.testing.assert_allclose(maps.taps.sum(axis=2), 1, atol=1e-15)
    assert maps.corrected == (interpolate is not interpolate_nearest)


def test_nearest_needs_13_products_per_four_outputs():
    # Filters of 10 samples, convolved with the box of 4: 13 taps, spread over 4 phases.
    taps = find_phases(interpolate_nearest, 4, 10).taps
    assert np.count_nonzero(taps.any(axis=0)) == 13


def test_the_path_changes_neither_parameters_nor_what_is_computed():
    signal = torch.randn(2, 5, 23)
    layers = {
        path: build_operator("linear", 5, 6, 4, options={"path": path})
        for path in ("auto", "plain", "polyphase")
    }
    state = layers["plain"].state_dict()
    for layer in layers.values():
        layer.load_state_dict(state, strict=True)
        assert list(layer.state_dict()) == ["convolution.weight", "convolution.bias"]
    assert layers["plain"].choose_implementation(46) == "plain"
    assert layers["polyphase"].choose_implementation(46) in ORDERS
    expected = layers["plain"](signal)
    for layer in layers.values():
        torch.testing.assert_close(layer(signal), expected, atol=1e-5, rtol=0)


def test_auto_takes_each_way_where_it_is_cheapest():
    narrow = build_operator("nearest", 1, 1, 2, options={"kernel_size": 9})
    assert narrow.choose_implementation(12000) == "plain"  # Fig. 6: one channel
    outermost = build_operator("nearest", 8, 8, 4)
    assert outermost.choose_implementation(40_000) == "kernel"
    innermost = build_operator("nearest", 512, 256, 4)
    assert innermost.choose_implementation(48) == "taps"
    # At paper width its taps would not fit the work space: 26 numbers per channel and sample.
    assert innermost.choose_implementation(phases.WORK_SPACE // (26 * 256)) == "taps"
    assert innermost.choose_implementation(phases.WORK_SPACE // (26 * 256) + 1) == "kernel"


@pytest.mark.parametrize("way", ["plain", *ORDERS])
def test_costs_without_writing_are_the_multiply_adds_of_a_step(monkeypatch, way):
    monkeypatch.setattr(phases, "MOVE", 0)
    batch, in_channels, out_channels, time, stride, length = 2, 6, 5, 11, 4, 10
    layer = plain_layer("nearest", {}, in_channels, out_channels, stride, length)
    maps = find_phases(interpolate_nearest, stride, length)
    signal = torch.randn(batch, in_channels, time, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        if way == "plain":
            output = layer(signal)
        else:
            output = convolve(signal, layer.convolution.weight, None, maps, way)
        output.sum().backward()
    expected = costs(maps, batch * time, in_channels, out_channels)[way]
    # An even filter's plain convolution makes one sample more, which is cut off.
    surplus = batch * 3 * length * in_channels * out_channels if way == "plain" else 0
    assert counter.get_total_flops() == 2 * (expected + surplus)


def test_align_corners_keeps_the_plain_path():
    layer = build_operator("linear", 64, 64, 4, options={"definition": "align_corners"})
    assert layer.choose_implementation(10_000) == "plain"
    with pytest.raises(UserError, match="not shift-invariant"):
        build_operator(
            "linear",
            2,
            2,
            4,
            options={"definition": "align_corners", "implementation": "polyphase"},
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"implementation": "polyfase"}, "did you mean 'polyphase'"),
        ({"implementation": "polyphase", "kernel_size": 0}, "has no polyphase path"),
        ({"definition": "halfpixel"}, "did you mean 'half_pixel'"),
    ],
)
def test_options_that_cannot_be_are_told(options, message):
    with pytest.raises(UserError, match=message):
        build_operator("linear", 2, 2, 4, options=options)
