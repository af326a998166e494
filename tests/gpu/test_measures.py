"""Artifacts of a model on the device, measured as on the CPU."""

import numpy as np
import pytest
from six_variants import VARIANTS, reference_kernels

from upsampling.config.model import DemucsLikeSettings
from upsampling.measures.from_waveform import measure_waveform
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.shifts import measure_shifts
from upsampling.models import build
from upsampling.probes.model_output import model_output

# Largest difference in dB, or of a ratio, in double precision: rounding errors of 1e-14 change no
# measure by more than 2e-6. In single precision rounding decides the depth of a notch; there the
# outputs that are measured are compared.
DECIBELS = 1e-3
# Largest difference of an output sample, in single precision; outputs are below 1.
SAMPLE = 1e-6


def small_model(variant):
    return build(DemucsLikeSettings(channels=8, depth=4, **VARIANTS[variant]), seed=0)


def measures(model):
    """Value of every measure of a model in double precision, by group, name and frequency."""
    model = model.double()
    layers = model.upsampling_layers
    groups = {"weights": measure_layers(layers), "shifts": measure_shifts(model, 0.25, 0)}
    for signal, margin in (("white_noise", 0), ("sweep", 0), ("ones", model.settling)):
        _, output, rate = model_output(model, signal, 1.0, 0, margin=margin)
        groups[signal] = measure_waveform(output, rate, [layer.stride for layer in layers])
    return {
        (group, row["measure"], row["frequency_hz"]): row["value"]
        for group, rows in groups.items()
        for row in rows
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_measures_are_those_of_the_cpu(device, variant):
    with reference_kernels():
        expected = measures(small_model(variant))
    found = measures(small_model(variant).to(device))
    assert found.keys() == expected.keys()
    differences = {key: abs(found[key] - expected[key]) for key in expected}
    worst = max(differences, key=lambda key: differences[key])
    print(f"{variant}: {len(expected)} measures, {differences[worst]:.1e} in {worst}")
    assert differences[worst] < DECIBELS


@pytest.mark.parametrize("signal", ["white_noise", "silence", "percussive"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_outputs_are_those_of_the_cpu(device, variant, signal):
    with reference_kernels():
        _, expected, _ = model_output(small_model(variant), signal, 1.0, 0)
    _, output, _ = model_output(small_model(variant).to(device), signal, 1.0, 0)
    assert np.abs(output - expected).max() < SAMPLE
