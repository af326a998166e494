"""Polyphase maps against their definition, costs against counted products, and the choice."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from upsampling.errors import UserError
from upsampling.operators import build_operator, polyphase_maps
from upsampling.operators.linear import LINEAR
from upsampling.operators.nearest import interpolate_nearest
from upsampling.operators.polyphase import by_convolution, by_matrix_products
from upsampling.operators.polyphase_maps import PolyphaseMaps, costs

CONVOLVE = {"convolution": by_convolution, "matrices": by_matrix_products}


@pytest.mark.parametrize("interpolate", [interpolate_nearest, LINEAR["half_pixel"]])
@pytest.mark.parametrize(("stride", "kernel_size"), [(2, 3), (4, 10), (5, 12)])
def test_each_filter_tap_passes_a_constant(interpolate, stride, kernel_size):
    coefficients = PolyphaseMaps(interpolate, stride, kernel_size).coefficients
    ones = torch.ones(kernel_size, stride, dtype=torch.float64)
    torch.testing.assert_close(coefficients.sum(dim=2), ones, atol=1e-15, rtol=0)


def test_nearest_needs_13_products_per_four_outputs():
    # Filters of 10 samples, convolved with the box of 4: 13 taps, spread over 4 phases.
    coefficients = PolyphaseMaps(interpolate_nearest, 4, 10).coefficients
    assert coefficients.any(dim=0).sum() == 13


def test_the_implementation_changes_neither_parameters_nor_outputs():
    signal = torch.randn(2, 5, 23)
    layers = {
        name: build_operator("linear", 5, 6, 4, options={"implementation": name})
        for name in ("auto", "plain", "polyphase")
    }
    state = layers["plain"].state_dict()
    for layer in layers.values():
        layer.load_state_dict(state, strict=True)
        assert list(layer.state_dict()) == ["convolution.weight", "convolution.bias"]
    assert layers["plain"].choose_implementation(2, 23) == "plain"
    assert layers["polyphase"].choose_implementation(2, 23) in CONVOLVE
    assert layers["polyphase"].choose_implementation(2, 1) == "matrices"  # too short for a window
    expected = layers["plain"](signal)
    for layer in layers.values():
        torch.testing.assert_close(layer(signal), expected, atol=1e-5, rtol=0)


def test_auto_chooses_the_cheapest_for_each_shape():
    narrow = build_operator("nearest", 1, 1, 2, options={"kernel_size": 9})
    assert narrow.choose_implementation(1, 12000) == "plain"  # Fig. 6: one channel
    outermost = build_operator("nearest", 8, 8, 4)
    assert outermost.choose_implementation(4, 11_266) == "convolution"
    innermost = build_operator("nearest", 512, 256, 4)
    assert innermost.choose_implementation(4, 13) == "matrices"
    # Large batches would not fit the work space: 20 numbers per output channel and sample.
    largest = polyphase_maps.WORK_SPACE // (20 * 256 * 13)
    assert innermost.choose_implementation(largest, 13) == "matrices"
    assert innermost.choose_implementation(largest + 1, 13) == "convolution"


@pytest.mark.parametrize(
    ("name", "move"),
    [
        ("Tesla V100-SXM2-32GB", 70),
        ("NVIDIA A100-SXM4-40GB", 50),
        ("NVIDIA H100 80GB HBM3", 80),
        ("NVIDIA GeForce RTX 4090", polyphase_maps.OTHER_GPU),
    ],
)
def test_the_kind_of_card_decides_the_cost_of_a_copy(monkeypatch, name, move):
    """70 and 50 are quotients of data sheets: multiply-adds over numbers moved, per second."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    polyphase_maps.copy_cost.cache_clear()
    try:
        assert polyphase_maps.copy_cost(torch.device("cuda", 0)) == move
    finally:
        polyphase_maps.copy_cost.cache_clear()
    assert polyphase_maps.copy_cost(torch.device("cpu")) == polyphase_maps.MOVE["cpu"]


@pytest.mark.parametrize("method", ["plain", *CONVOLVE])
def test_costs_without_writing_are_the_multiply_adds_of_a_step(method):
    batch, in_channels, out_channels, time, kernel_size = 2, 6, 5, 11, 10
    options = {"kernel_size": kernel_size, "implementation": "plain"}
    layer = build_operator("nearest", in_channels, out_channels, 4, options=options)
    signal = torch.randn(batch, in_channels, time, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        if method == "plain":
            output = layer(signal)
        else:
            output = CONVOLVE[method](signal, layer.convolution.weight, None, layer.maps())
        output.sum().backward()
    expected = costs(layer.maps(), batch, time, in_channels, out_channels, move=0)[method]
    # An even filter's plain convolution makes one sample more, which is cut off.
    surplus = batch * 3 * kernel_size * in_channels * out_channels if method == "plain" else 0
    assert counter.get_total_flops() == 2 * (expected + surplus)


def test_each_way_writes_the_numbers_that_it_states():
    """Filters of 3 samples after stride 2, from 2 to 3 channels, for 10 samples."""
    maps = build_operator("nearest", 2, 3, 2, options={"kernel_size": 3}).maps()
    with_writing, without = (costs(maps, 1, 10, 2, 3, move=move) for move in (1, 0))
    written = {way: with_writing[way] - without[way] for way in with_writing}
    assert written == {
        # The upsampled signal of 2 x 20 numbers, and its gradient.
        "plain": 2 * 40,
        # Kernels of 2 phases x 6 pairs; inputs of 2 and outputs of 2 x 3 rows; with gradients.
        "convolution": 4 * 2 * maps.window * 6 + 2 * (2 + 6) * 10,
        # Weights of 3 x 6; inputs of 2 rows, products of 3 x 3 rows twice and outputs of 2 x 3.
        "matrices": 2 * 18 + 2 * (2 + 2 * 9 + 6) * 10,
    }
    assert 4 * polyphase_maps.WORK_SPACE == 2**30


def test_align_corners_keeps_the_plain_implementation():
    layer = build_operator("linear", 64, 64, 4, options={"definition": "align_corners"})
    assert layer.choose_implementation(4, 2500) == "plain"
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
        ({"implementation": "polyphase", "kernel_size": 0}, "has no polyphase implementation"),
        ({"definition": "halfpixel"}, "did you mean 'half_pixel'"),
    ],
)
def test_options_that_cannot_be_are_told(options, message):
    with pytest.raises(UserError, match=message):
        build_operator("linear", 2, 2, 4, options=options)
