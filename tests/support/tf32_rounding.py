"""TF32 on any processor: operands of products are rounded as a GPU's tensor cores round them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
PRODUCTS = {
    aten.convolution,
    aten.convolution_backward,
    aten.mm,
    aten.addmm,
    aten.bmm,
    aten.baddbmm,
}
# float32 has 23 bits of mantissa, TF32 has 10.
DROPPED = 13


def to_tf32(values: Tensor) -> Tensor:
    """Round float32 `values` to the nearest TF32 number, ties to even; others stay."""
    if values.dtype != torch.float32:
        return values
    bits = values.contiguous().view(torch.int32)
    half = (1 << (DROPPED - 1)) - 1 + ((bits >> DROPPED) & 1)
    return ((bits + half) & -(1 << DROPPED)).view(torch.float32)


class Tf32Rounding(TorchDispatchMode):
    """Within it, products of tensors, forward and backward, have rounded operands.

    oneDNN's LSTM is one operation; switched off (`torch.backends.mkldnn.flags(enabled=False)`), it
    is made of products.
    """

    def __torch_dispatch__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(function, "overloadpacket", None) in PRODUCTS:
            args = tuple(to_tf32(a) if isinstance(a, Tensor) else a for a in args)
        return function(*args, **(kwargs or {}))
