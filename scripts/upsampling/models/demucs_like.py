"""The Demucs-like autoencoder of Sec. 6, around any upsampling operator."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from upsampling.config.model import DemucsLikeSettings
from upsampling.errors import UserError
from upsampling.models.base import AudioModel, center_trim
from upsampling.operators import build_operator, find_operator, output_length
from upsampling.operators.base import SameConvolution

# The LSTM carries the effect of the input's ends inwards.
SETTLING_STRIDES = 16


class BLSTM(nn.Module):
    """Bidirectional LSTM whose two directions are added, or mixed by a linear layer.

    `[batch, channels, time]` to the same shape. The hidden size of each direction is `channels`
    (3200 in Sec. 6).
    """

    def __init__(self, channels: int, *, linear: bool, bias: bool, layers: int = 2):
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, layers, bidirectional=True, bias=bias)
        self.linear = nn.Linear(2 * channels, channels, bias=bias) if linear else None

    def forward(self, signal: Tensor) -> Tensor:
        hidden = self.run_lstm(signal.permute(2, 0, 1))
        if self.linear is None:
            forward, backward = hidden.chunk(2, dim=-1)
            hidden = forward + backward
        else:
            hidden = self.linear(hidden)
        return hidden.permute(1, 2, 0)

    def run_lstm(self, sequence: Tensor) -> Tensor:
        """Map `[time, batch, channels]` to `[time, batch, 2 * channels]`."""
        # Autocast to bfloat16 gives cuDNN's LSTM float16, whose range unscaled gradients leave.
        if sequence.dtype == torch.bfloat16 and sequence.is_cuda:
            with torch.autocast("cuda", enabled=False):
                return self.lstm(sequence.float())[0]
        return self.lstm(sequence)[0]


class DemucsLike(AudioModel):
    """Six strided encoder blocks, an LSTM, six decoder blocks with skip connections (Sec. 6).

    Encoder block: strided convolution, ReLU, convolution, GLU. Decoder block: convolution, GLU,
    upsampling operator, ReLU (none after the last). `[batch, audio_channels, time]` to
    `[batch, sources, audio_channels, time']`; without padding the output covers the center of
    the input. With `context_kernel_size` 3 and the `lstm_linear` bottleneck it is the published
    Demucs (Défossez et al. 2019).
    """

    def __init__(self, settings: DemucsLikeSettings):
        super().__init__()
        self.settings = settings
        self.samplerate = settings.samplerate
        self.audio_channels = settings.audio_channels
        self.sources = settings.sources
        bias, stride = settings.bias, settings.stride
        self.encoder = nn.ModuleList()
        decoder: list[nn.ModuleDict] = []
        in_channels = settings.audio_channels
        out_channels = len(settings.sources) * settings.audio_channels
        channels = settings.channels
        for index in range(settings.depth):
            relu = nn.ReLU() if index or settings.first_relu else nn.Identity()
            strided = nn.Conv1d(in_channels, channels, settings.kernel_size, stride, bias=bias)
            mix = SameConvolution(channels, 2 * channels, settings.encoder_kernel_size, bias=bias)
            self.encoder.append(nn.Sequential(strided, relu, mix, nn.GLU(dim=1)))
            padding = settings.context_kernel_size // 2 if settings.padding == "same" else 0
            context = nn.Conv1d(
                channels, 2 * channels, settings.context_kernel_size, padding=padding, bias=bias
            )
            blocks = {
                "mix": nn.Sequential(context, nn.GLU(dim=1)),
                "upsampler": build_upsampler(settings, channels, out_channels, index == 0),
                "activation": nn.ReLU() if index else nn.Identity(),
            }
            decoder.append(nn.ModuleDict(blocks))
            in_channels, out_channels = channels, channels
            channels *= settings.growth
        self.decoder = nn.ModuleList(reversed(decoder))
        self.bottleneck: nn.Module = nn.Identity()
        if settings.bottleneck != "none":
            linear = settings.bottleneck == "lstm_linear"
            self.bottleneck = BLSTM(in_channels, linear=linear, bias=bias)
        if settings.rescale is not None:
            rescale_weights(self, settings.rescale)
        self.settling = SETTLING_STRIDES * self.total_stride

    def forward(self, mixture: Tensor) -> Tensor:
        """Separate `[batch, audio_channels, time]` into its sources."""
        signal, skips = mixture, []
        for block in self.encoder:
            signal = block(signal)
            skips.append(signal)
        signal = self.bottleneck(signal)
        for block in self.decoder:
            skip = skips.pop()
            time = min(signal.shape[-1], skip.shape[-1])
            signal = block["mix"](center_trim(signal, time) + center_trim(skip, time))  # type: ignore[index]
            signal = block["activation"](block["upsampler"](signal))  # type: ignore[index]
        settings = self.settings
        return signal.unflatten(1, (len(settings.sources), settings.audio_channels))

    def find_upsamplers(self) -> list[tuple[nn.Module, int, int]]:
        return [
            (block["upsampler"], self.settings.stride, block["mix"][0].out_channels // 2)  # type: ignore[index, union-attr, operator]
            for block in self.decoder
        ]

    def input_length(self, samples: int) -> int:
        """Return the shortest input that fits all strides and gives at least `samples` samples."""
        deepest = 1
        while self._lengths(deepest)[1] < samples:
            deepest += 1
        return self._lengths(deepest)[0]

    def _lengths(self, deepest: int) -> tuple[int, int]:
        """Return input and output length of the model for `deepest` samples at the bottleneck."""
        settings = self.settings
        encoded = [deepest]
        for _ in range(settings.depth):
            encoded.append((encoded[-1] - 1) * settings.stride + settings.kernel_size)
        time = deepest
        for block, skip in zip(self.decoder, encoded, strict=False):
            time = min(time, skip)
            if settings.padding == "valid":
                time -= settings.context_kernel_size - 1
            if time < 1:
                return encoded[-1], 0
            time = output_length(block["upsampler"], settings.stride, time)  # type: ignore[index]
        return encoded[-1], time


def build_upsampler(
    settings: DemucsLikeSettings, in_channels: int, out_channels: int, outermost: bool
) -> nn.Module:
    """Build the upsampler of one decoder block: in the outermost one, `settings.last` if it is set.

    Raises `UserError` for an operator in an inner block that only fits the outermost one.
    """
    name, options = settings.operator, settings.options
    if outermost and settings.last is not None:
        name, options = settings.last.operator, settings.last.options
    if not outermost and getattr(find_operator(name), "outermost_only", False):
        raise UserError(
            f"operator '{name}' can be the last upsampler only; name another one as operator, and "
            f"add model: {{last: {{operator: {name}}}}}"
        )
    return build_operator(
        name, in_channels, out_channels, settings.stride, bias=settings.bias, options=options
    )


def rescale_weights(model: nn.Module, reference: float) -> None:
    """Apply Demucs's weight rescaling in place to all convolutions of `model` (Sec. 6).

    Weight and bias are divided by sqrt(standard deviation of the weight / `reference`), so that
    input and output have about the same magnitude at initialisation. Equal weights, such as zeros,
    have no deviation and stay as they are.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
            weight = module.weight.detach()
            scale = (weight.std() / reference).sqrt()
            if weight.is_meta or not (scale.isfinite() and scale > 0):
                continue
            # Parametrizations and weight norm compute the weight from other parameters.
            magnitude = getattr(module, "weight_g", None)
            if parametrize.is_parametrized(module, "weight"):
                module.weight = weight / scale
            else:
                (module.weight if magnitude is None else magnitude).data.div_(scale)
            if module.bias is not None:
                module.bias.data.div_(scale)
