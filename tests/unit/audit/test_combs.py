"""Combs: which lines are whose, levels by Parseval, and how far planted tones stand out."""

import numpy as np
import pytest
from audited_networks import SAMPLERATE, hifi_gan, operators, seeded, under_audit
from torch import nn

from upsampling.audit import combs
from upsampling.measures.spectra import mean_spectrum

EXACT = 1e-9
# The mean of a comb's lines in noise, at the lengths used here.
NOISE_DB = 1.0


@pytest.fixture(scope="module")
def structure():
    """Strides 2, 3 and 5: periods of 30, 15 and 5 samples."""
    return under_audit(seeded(lambda: hifi_gan((2, 3, 5))), 6)[1]


def test_a_line_is_on_the_coarsest_comb_that_holds_it(structure):
    periods, index = combs.comb_of_lines(structure)
    assert periods == [5, 15, 30]
    expected = []
    for line in range(16):
        multiples = [line % 6 == 0, line % 2 == 0, True]
        expected.append(-1 if line == 0 else multiples.index(True))
    assert index.tolist() == expected


def test_levels_are_rms_levels(structure):
    time = np.arange(30)
    tones = {2: 0.5, 6: 0.1, 7: 0.01, 15: 0.2}
    period = 0.3 + sum(
        amplitude * np.cos(2 * np.pi * line * time / 30) for line, amplitude in tones.items()
    )
    levels = combs.level(combs.line_powers(period[None]))[0]
    for line, amplitude in tones.items():
        rms = amplitude if line == 15 else amplitude / np.sqrt(2)
        assert levels[line] == pytest.approx(20 * np.log10(rms), abs=EXACT)
    assert levels[0] == pytest.approx(20 * np.log10(0.3), abs=EXACT)
    assert combs.total_level(period[None]) == pytest.approx(20 * np.log10(period.std()), abs=EXACT)
    found = combs.comb_levels(structure, period[None])
    expected = [0.1**2 / 2, 0.5**2 / 2, 0.01**2 / 2 + 0.2**2]
    assert found == pytest.approx(10 * np.log10(expected), abs=EXACT)


def test_the_loudest_channel_counts(structure):
    time = np.arange(30)
    rows = np.stack([0.1 * np.cos(2 * np.pi * 6 * time / 30), 0.2 * np.cos(2 * np.pi * time / 30)])
    found = combs.comb_levels(structure, rows)
    assert found == pytest.approx([-23.01, -300, -16.99], abs=0.01)


@pytest.mark.parametrize("strides", [(2, 3, 5), (4, 4), (8, 8, 4)])
def test_lines_and_controls_fall_on_bins(strides):
    structure = under_audit(seeded(lambda: operators(*strides)), 4)[1]
    n_fft, finest = combs.resolution(structure)
    assert n_fft % (2 * finest) == 0
    assert n_fft >= 16384
    assert finest == structure.total_stride


def test_a_planted_comb_stands_out_by_what_was_planted(structure):
    n_fft, _ = combs.resolution(structure)
    rng = np.random.default_rng(0)
    time = np.arange(64 * n_fft)
    noise = 0.1 * rng.standard_normal(len(time))
    # White noise of variance v reads 1.5 v / n_fft per bin, a sine of RMS r reads r^2 / 2.
    around = 1.5 * 0.01 / n_fft
    amplitude = np.sqrt(4 * around * 99)
    tones = sum(amplitude * np.cos(2 * np.pi * k * time / 15 + k) for k in (1, 2, 4, 5, 7))
    _, power = mean_spectrum(noise + tones, SAMPLERATE, n_fft)
    (coarse, middle, fine) = combs.excesses(structure, power[None])
    assert middle[0] == pytest.approx(20, abs=NOISE_DB)
    for excess, error in (coarse, fine):
        assert abs(excess) < 3 * error
    assert 0 < fine[1] < coarse[1] < 1


def test_a_comb_that_is_too_fine_has_no_excess_and_keeps_its_place():
    """Periods of 64 and 4096 samples: bins resolve lines of 1 / 2048 of the sampling rate."""
    module = nn.Sequential(nn.Upsample(scale_factor=64), nn.Upsample(scale_factor=64))
    structure = under_audit(module, 1)[1]
    n_fft, finest = combs.resolution(structure)
    assert finest == 64
    coarse, fine = combs.excesses(structure, np.ones((1, n_fft // 2 + 1)))
    assert coarse == (0, 0)
    assert fine is None


def test_bins_between_lines_count_against_them(structure):
    """A comb of half the spacing, whose own lines are half as high in dB: no layer makes those."""
    n_fft, finest = combs.resolution(structure)
    power = np.ones((1, n_fft // 2 + 1))
    power[:, :: n_fft // finest] = 10**0.6
    power[:, n_fft // finest // 2 :: n_fft // finest] = 10**0.3
    for excess, error in combs.excesses(structure, power):
        assert excess == pytest.approx(3, abs=EXACT)
        assert error == 0


def test_excess_of_steady_lines_is_over_the_rounding_of_sixteen_bits(structure):
    n_fft, _ = combs.resolution(structure)
    rng = np.random.default_rng(1)
    step = 2.0**-15
    rounding = step * rng.uniform(-0.5, 0.5, 64 * n_fft)
    _, power = mean_spectrum(rounding, SAMPLERATE, n_fft)
    assert pytest.approx(power[10:-10].mean(), rel=0.02, abs=0) == combs.SIXTEEN_BITS
    time = np.arange(30)
    quiet = 1e-8 * np.cos(2 * np.pi * 6 * time / 30)
    assert combs.steady_excesses(structure, quiet[None]) == pytest.approx([0, 0, 0], abs=0.01)
    loud = np.cos(2 * np.pi * 6 * time / 30) + np.cos(2 * np.pi * 12 * time / 30)
    expected = 10 * np.log10(0.25 / combs.SIXTEEN_BITS)
    found = combs.steady_excesses(structure, loud[None])
    assert found == pytest.approx([expected, 0, 0], abs=0.01)
