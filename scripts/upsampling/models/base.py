"""The interface of every model, as measurements, training and scoring use it."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class UpsamplingLayer:
    """An upsampling layer of a model; `spacing` in Hz is that of its comb of tones."""

    module: nn.Module
    stride: int
    in_channels: int
    spacing: float


class AudioModel(nn.Module):
    """A model that maps waveforms to waveforms at `samplerate` through upsampling layers.

    A subclass sets `samplerate` in Hz and `audio_channels`, and defines `forward` and
    `find_upsamplers`. An output that is shorter than the input covers the input's center;
    `input_length` then gives the input that is needed. A model with `sources` separates a mixture
    into them, and can be trained and scored.
    """

    samplerate: int
    audio_channels: int = 1
    sources: Sequence[str] = ()
    # Samples from either end of a constant input after which the output is steady.
    settling: int = 0

    def find_upsamplers(self) -> list[tuple[nn.Module, int, int]]:
        """Return module, stride and input channels of each upsampling layer, the deepest first."""
        raise NotImplementedError

    def input_length(self, samples: int) -> int:
        """Return the shortest input that gives at least `samples` output samples."""
        return samples

    # Not `inference_mode`: a module may keep tensors for its next call, in training.
    @torch.no_grad()
    def process(self, waveforms: Tensor) -> Tensor:
        """Map `[batch, audio_channels, samples]` to `[batch, sources, channels, time]`.

        A model without sources counts as one source. Runs in evaluation mode, in the precision of
        the weights and on their device; the result is on the CPU.
        """
        self.eval()
        outputs = self(waveforms.to(next(self.parameters()))).cpu()
        return outputs if outputs.ndim == 4 else outputs.unsqueeze(1)

    @property
    def upsampling_layers(self) -> list[UpsamplingLayer]:
        """The upsampling layers, the deepest first, with the spacing of their combs."""
        layers: list[UpsamplingLayer] = []
        spacing = float(self.samplerate)
        for module, stride, in_channels in reversed(self.find_upsamplers()):
            spacing /= stride
            layers.insert(0, UpsamplingLayer(module, stride, in_channels, spacing))
        return layers

    @property
    def total_stride(self) -> int:
        """The product of the strides of all upsampling layers."""
        return math.prod(stride for _, stride, _ in self.find_upsamplers())


def center_trim(signal: Tensor, time: int) -> Tensor:
    """Cut `[..., samples]` to its `time` central samples (the skip connections of Demucs)."""
    start = (signal.shape[-1] - time) // 2
    return signal[..., start : start + time]


@contextmanager
def in_double_precision(module: nn.Module) -> Iterator[None]:
    """Evaluate `module` in double precision in the block; restore its tensors and mode afterwards.

    A deep copy would do the same, but modules with PyTorch's older weight norm have none. Its
    parameters are replaced, not changed: parameters of another type lose the hooks by which
    DistributedDataParallel exchanges their gradients.
    """
    training = module.training
    module.eval()
    originals = [
        (owner, name, tensor)
        for owner in module.modules()
        for name, tensor in (*owner._parameters.items(), *owner._buffers.items())
        if tensor is not None and tensor.is_floating_point()
    ]
    copies: dict[int, Tensor] = {}
    for _, _, tensor in originals:
        if id(tensor) not in copies:
            copy = tensor.detach().double()
            is_parameter = isinstance(tensor, nn.Parameter)
            copies[id(tensor)] = nn.Parameter(copy) if is_parameter else copy
    try:
        for owner, name, tensor in originals:
            setattr(owner, name, copies[id(tensor)])
        yield
    finally:
        for owner, name, tensor in originals:
            setattr(owner, name, tensor)
        module.train(training)


def device_of(module: nn.Module) -> torch.device:
    """The device of a module's tensors; the CPU if it has none."""
    tensor = next(chain(module.parameters(), module.buffers()), None)
    return torch.device("cpu") if tensor is None else tensor.device
