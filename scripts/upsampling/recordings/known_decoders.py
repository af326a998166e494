"""Published decoders with strides, to say which of them would leave a comb of some spacing."""

from dataclasses import dataclass

from upsampling.measures.from_waveform import comb_spacings

# Spacings agree to this share: two decoders of the table differ by more.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Decoder:
    """A decoder: output rate in Hz, strides of its upsampling layers, deepest first, and source."""

    name: str
    samplerate: int
    strides: tuple[int, ...]
    source: str


DECODERS = (
    Decoder("MelGAN", 22050, (8, 8, 2, 2), "Kumar et al. 2019, arXiv:1910.06711"),
    Decoder("HiFi-GAN V1, V2", 22050, (8, 8, 2, 2), "Kong et al. 2020, arXiv:2010.05646"),
    Decoder("HiFi-GAN V3, Piper", 22050, (8, 8, 4), "Kong et al. 2020, arXiv:2010.05646"),
    Decoder("BigVGAN, 24 kHz", 24000, (4, 4, 2, 2, 2, 2), "Lee et al. 2023, arXiv:2206.04658"),
    Decoder(
        "BigVGAN v2, 44.1 kHz, 512x", 44100, (8, 4, 2, 2, 2, 2),
        "github.com/NVIDIA/BigVGAN, configs/bigvgan_v2_44khz_128band_512x.json",
    ),
    Decoder("SoundStream", 24000, (8, 5, 4, 2), "Zeghidour et al. 2021, arXiv:2107.03312"),
    Decoder("EnCodec, 24 kHz", 24000, (8, 5, 4, 2), "Défossez et al. 2022, arXiv:2210.13438"),
    Decoder("EnCodec, 48 kHz", 48000, (8, 5, 4, 2), "Défossez et al. 2022, arXiv:2210.13438"),
    Decoder(
        "EnCodec, 32 kHz (MusicGen)", 32000, (8, 5, 4, 4),
        "github.com/facebookresearch/audiocraft, config/model/encodec/encodec_large_nq4_s640.yaml",
    ),
    Decoder(
        "Descript Audio Codec, 44.1 kHz", 44100, (8, 8, 4, 2),
        "github.com/descriptinc/descript-audio-codec, conf/final/44khz.yml",
    ),
    Decoder(
        "Stable Audio 2 VAE", 44100, (8, 8, 4, 4, 2),
        "github.com/Stability-AI/stable-audio-tools, stable_audio_2_0_vae.json",
    ),
    Decoder("ACE-Step 1.5 VAE", 48000, (10, 6, 4, 4, 2), "Gong et al. 2026, arXiv:2602.00744"),
    Decoder("Demucs, first version", 44100, (4,) * 6, "Défossez et al. 2019, arXiv:1909.01174"),
)  # fmt: skip


def decoders_with(spacing: float) -> list[str]:
    """Names of the decoders one of whose layers writes a comb of `spacing` in Hz."""
    return [
        decoder.name
        for decoder in DECODERS
        if any(
            abs(comb - spacing) < TOLERANCE * spacing
            for comb in comb_spacings(decoder.strides, decoder.samplerate)
        )
    ]
