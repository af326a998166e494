"""EnCodec, 24 kHz: latents to audio, by an LSTM and transposed convolutions (random weights)."""

import torch
from stand_ins import stand_in_for

stand_in_for("torchaudio")


def network() -> torch.nn.Module:
    from encodec.modules import SEANetDecoder

    torch.manual_seed(0)
    return SEANetDecoder(norm="weight_norm", causal=True)
