"""SNAC, 24 kHz: latents to audio, by depthwise transposed convolutions (random weights)."""

import torch


def network() -> torch.nn.Module:
    from snac.layers import Decoder

    torch.manual_seed(0)
    return Decoder(768, 1024, [8, 8, 4, 2], noise=False, depthwise=True, attn_window_size=None)
