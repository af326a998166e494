"""Architectures are found by name or in a file, and their operators' options are checked."""

import pytest

from upsampling.config.model import (
    ARCHITECTURES,
    DemucsLikeSettings,
    MelganSettings,
    OwnSettings,
    check_operator,
    model_settings,
    settings_class,
)
from upsampling.errors import UserError
from upsampling.models import MODELS


def test_every_registered_architecture_has_a_class():
    assert list(ARCHITECTURES) == list(MODELS)
    for name, architecture in ARCHITECTURES.items():
        assert architecture().architecture == name


def test_defaults_are_those_of_the_paper():
    settings = DemucsLikeSettings()
    assert (settings.channels, settings.depth) == (100, 6)  # Sec. 6
    assert (settings.kernel_size, settings.stride) == (8, 4)  # Sec. 6
    assert settings.strides == (4,) * 6
    melgan = MelganSettings()  # Sec. 1: length 16, 16, 4, 4 at stride 8, 8, 2, 2
    assert melgan.kernel_sizes == (16, 16, 4, 4)
    assert melgan.strides == melgan.ratios == (8, 8, 2, 2)


def test_the_outermost_operator_is_the_last_one_if_there_is_one():
    values = {"operator": "subpixel", "options": {"kernel_size": 5}}
    assert model_settings(values, "m").outermost == ("subpixel", {"kernel_size": 5})
    last = {"operator": "istft_head", "options": {"n_fft": 16}}
    assert model_settings(values | {"last": last}, "m").outermost == ("istft_head", {"n_fft": 16})
    assert MelganSettings().outermost == ("transposed", {})


def test_an_architecture_of_ones_own_is_named_by_its_file():
    assert settings_class("nets.py:Net", "m") is OwnSettings
    settings = model_settings({"architecture": "nets.py:Net", "arguments": {"a": 1}}, "m")
    assert settings.arguments == {"a": 1}
    assert settings.strides == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"architecture": "demux"}, "m.architecture: unknown architecture 'demux'"),
        ({"architecture": 3}, "m.architecture: unknown architecture '3'"),
        ({"architecture": "melgan", "depth": 3}, "m.depth: unknown key 'depth'"),
        ({"operator": "neares"}, "m.operator: unknown value 'neares' (did you mean 'nearest'?)"),
        (
            {"operator": "nearest", "options": {"kernel_size": "3"}},
            "m.options.kernel_size: '3' is text, not a number; write 3 without quotes",
        ),
        (
            {"architecture": "melgan", "ratios": [2, 2]},
            "m: kernel_sizes: 4 of them for 2 ratios; write one for each",
        ),
        ({"architecture": "melgan", "ratios": []}, "m.ratios: 0 items is too small"),
        (
            {"operator": "nearest", "options": {"kernel_size": 10**6}},
            "m.options.kernel_size: 1000000 is too large; write a value of at most 4096",
        ),
        (
            {"last": {"operator": "nearest", "options": {"zeros": 3}}},
            "m.last.options.zeros: unknown key 'zeros'",
        ),
    ],
)
def test_mistakes_name_their_key(values, message):
    with pytest.raises(UserError) as caught:
        model_settings(values, "m")
    assert str(caught.value).startswith(message)


def test_options_of_a_custom_operator_are_its_own():
    check_operator("own.py:Hold", {"anything": 1}, "v")
    with pytest.raises(UserError, match=r"v\.operator: 'own:Hold' is not allowed"):
        check_operator("own:Hold", {}, "v")
