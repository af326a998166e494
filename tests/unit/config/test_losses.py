"""Terms of the training loss: their weights, and the samples that they need."""

import pytest
import torch

from upsampling.config.declared import read_settings
from upsampling.config.losses import (
    CRITICS,
    LEAST_SAMPLES,
    CriticSettings,
    check_segment,
    comb_factor,
    weights,
)
from upsampling.config.training import TrainingSettings
from upsampling.errors import UserError
from upsampling.losses.terms import Critic


def test_a_name_is_a_sum_of_one_term():
    assert weights("mse") == {"mse": 1.0}
    assert weights({"l1": 1, "stft": 0.01}) == {"l1": 1, "stft": 0.01}


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("l2", "training.loss: unknown value 'l2'.*choose from l1, mse, stft, features"),
        ({"l1": 1, "l2": 1}, "training.loss: unknown value 'l2'"),
        ({"l1": "1"}, "training.loss.l1: '1' is text, not a number; write 1.0 without quotes"),
        ({"l1": 0}, r"training.loss.l1"),
        ({}, "training: loss: a sum without terms; name one"),
        (["l1"], "training.loss: .* of the wrong type; write a value of type string or object"),
    ],
)
def test_mistakes_are_told_in_one_line(loss, message):
    with pytest.raises(UserError, match=message) as error:
        read_settings(TrainingSettings, {"loss": loss}, "training")
    assert "\n" not in str(error.value)


def test_a_sum_is_read_as_it_is_written():
    settings = read_settings(TrainingSettings, {"loss": {"l1": 1, "features": 0.5}}, "training")
    assert settings.loss == {"l1": 1, "features": 0.5}


@pytest.mark.parametrize("settings", [CriticSettings(), CriticSettings(2, 3, 7, 1)])
def test_the_receptive_field_is_the_shortest_input(settings):
    critic = Critic(settings)
    for features in (1, 4):
        samples = settings.receptive_field(features)
        assert critic.features(torch.zeros(1, 1, samples))[-1].shape[-1] == features
    assert critic.features(torch.zeros(1, 1, samples - 1))[-1].shape[-1] == 3
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        critic.features(torch.zeros(1, 1, settings.receptive_field(1) - 1))


def test_the_control_differs_in_the_stride_alone():
    strided, dense = CRITICS["features"], CRITICS["features_dense"]
    assert (strided.stride, dense.stride) == (4, 1)
    assert strided.seed == dense.seed
    assert strided.kernel_size == dense.kernel_size
    assert (comb_factor(), comb_factor("features_dense")) == (64, 1)


@pytest.mark.parametrize("name", LEAST_SAMPLES)
def test_segments_too_short_for_a_term_are_refused(name):
    rate = 8000
    check_segment(name, LEAST_SAMPLES[name] / rate, rate, "training")
    short = (LEAST_SAMPLES[name] - 1) / rate
    with pytest.raises(
        UserError, match=f"training.segment_seconds: .* for the loss {name}; write"
    ) as error:
        check_segment({"l1": 1, name: 1}, short, rate, "training")
    advised = float(str(error.value).rpartition(" ")[2])
    assert LEAST_SAMPLES[name] / rate <= advised < LEAST_SAMPLES[name] / rate + 1.01e-4
