"""Registered architectures are built from a seed, and counted without weights."""

import pytest
import torch

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.models import MODELS, build, count_parameters

SMALL = DemucsLikeSettings(channels=4, depth=3)


def test_initial_weights_are_a_function_of_the_seed():
    torch.manual_seed(1)
    first = build(SMALL, 3).state_dict()
    torch.manual_seed(2)
    generator = torch.get_rng_state()
    second = build(SMALL, 3).state_dict()
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = build(SMALL, 4).state_dict()
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("settings", [SMALL, MelganSettings(channels=2)])
def test_parameters_are_counted_as_those_of_the_built_model(settings):
    model = build(settings)
    assert isinstance(model, MODELS[settings.architecture])
    assert count_parameters(settings) == sum(p.numel() for p in model.parameters())


def test_no_memory_is_allocated_to_count_a_large_model():
    """At paper width with tenfold channels the weights would take about 300 GB."""
    huge = DemucsLikeSettings(channels=1000)
    assert count_parameters(huge) > 7e10
