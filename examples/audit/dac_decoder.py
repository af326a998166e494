"""Descript Audio Codec, 44.1 kHz: latents to audio, by transposed convolutions (random weights)."""

import torch
from stand_ins import stand_in_for

stand_in_for("audiotools", "argbind")


def network() -> torch.nn.Module:
    from dac.model.dac import Decoder

    torch.manual_seed(0)
    return Decoder(input_channel=1024, channels=1536, rates=[8, 8, 4, 2])
