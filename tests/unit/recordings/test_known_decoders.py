"""The table of published decoders against spacings that their papers' frame rates give."""

import math

import pytest

from upsampling.recordings.known_decoders import DECODERS, decoders_with

# Latent or mel frames per second of each decoder, as published.
FRAME_RATES = {
    "EnCodec, 24 kHz": 75.0,
    "EnCodec, 48 kHz": 150.0,
    "EnCodec, 32 kHz (MusicGen)": 50.0,
    "SoundStream": 75.0,
    "ACE-Step 1.5 VAE": 25.0,
    "Stable Audio 2 VAE": 44100 / 2048,
    "Descript Audio Codec, 44.1 kHz": 44100 / 512,
    "MelGAN": 22050 / 256,
    "HiFi-GAN V1, V2": 22050 / 256,
    "HiFi-GAN V3, Piper": 22050 / 256,
    "BigVGAN, 24 kHz": 24000 / 256,
    "BigVGAN v2, 44.1 kHz, 512x": 44100 / 512,
    "Demucs, first version": 44100 / 4096,
}


@pytest.mark.parametrize(("name", "rate"), FRAME_RATES.items())
def test_the_finest_comb_is_the_frame_rate(name, rate):
    decoder = next(decoder for decoder in DECODERS if decoder.name == name)
    assert decoder.samplerate / math.prod(decoder.strides) == pytest.approx(rate)
    assert name in decoders_with(rate)


def test_coarser_combs_are_known_and_other_spacings_are_not():
    assert "ACE-Step 1.5 VAE" in decoders_with(250.0)
    assert "ACE-Step 1.5 VAE" not in decoders_with(50.0)
    assert decoders_with(86.1328125 * 1.001) == []
    assert decoders_with(123.4) == []


def test_every_row_has_its_source():
    assert all("arXiv" in d.source or "github.com" in d.source for d in DECODERS)
    assert len({d.name for d in DECODERS}) == len(DECODERS)
    assert {d.name for d in DECODERS} == {*FRAME_RATES}
