"""Convolutions with the channels last in memory, the layout that tensor cores compute in."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

NAMES = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
TRANSPOSED_NAMES = (*NAMES[:5], "output_padding", "groups", "dilation")
# Each convolution of one dimension: the same in two, and the names of its arguments in order.
WIDENED: dict[Callable[..., Tensor], tuple[Callable[..., Tensor], tuple[str, ...]]] = {
    functional.conv1d: (functional.conv2d, NAMES),
    functional.conv_transpose1d: (functional.conv_transpose2d, TRANSPOSED_NAMES),
}
# A kernel of height 1 on an image of height 1.
HEIGHT = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}


class ChannelsLast(TorchFunctionMode):
    """Within it, convolutions of `[batch, channels, time]` are those of images of height 1.

    Images and kernels have their channels last in memory, and so have the results. Otherwise cuDNN
    reorders each signal before and after products in TF32 or 16 bits. It changes rounding alone.
    """

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = kwargs or {}
        if function is functional.conv2d:
            image, kernel, *others = args
            return function(channels_last(image), channels_last(kernel), *others, **given)
        if function not in WIDENED:
            return function(*args, **given)
        widened, names = WIDENED[function]
        given = {**dict(zip(names, args, strict=False)), **given}
        for name in HEIGHT.keys() & given.keys():
            given[name] = two_dimensional(given[name], HEIGHT[name])
        for name in ("input", "weight"):
            given[name] = channels_last(given[name].unsqueeze(-2))
        return widened(**given).squeeze(-2)


def channels_last(tensor: Tensor) -> Tensor:
    """Reorder `[batch, channels, height, width]` in memory, unless it is ordered like this."""
    return tensor.contiguous(memory_format=torch.channels_last)


def two_dimensional(option: Any, height: int) -> Any:
    """An option of a convolution, for two dimensions; padding may be a word."""
    if isinstance(option, str):
        return option
    return (height, option if isinstance(option, int) else option[0])
