"""BigVGAN, 22.05 kHz: mel spectrograms to audio, with anti-aliased activations (random weights)."""

import torch


def network() -> torch.nn.Module:
    from bigvgan.bigvgan import AttrDict, BigVGAN

    torch.manual_seed(0)
    layers = {"upsample_rates": [8, 8, 2, 2], "upsample_kernel_sizes": [16, 16, 4, 4]}
    blocks = {"resblock_kernel_sizes": [3, 7, 11], "resblock_dilation_sizes": [[1, 3, 5]] * 3}
    plain = {"num_mels": 80, "upsample_initial_channel": 512, "resblock": "1"}
    snake = {"activation": "snakebeta", "snake_logscale": True}
    return BigVGAN(AttrDict(layers | blocks | plain | snake))
