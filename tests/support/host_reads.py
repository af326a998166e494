"""Operations that would make a CPU wait for a GPU, found on any device."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = {torch.ops.aten._local_scalar_dense, torch.ops.aten.nonzero}


class HostReads(TorchDispatchMode):
    """Within it, `names` collects operations that read a tensor's values, or copy between devices.

    With tensors on the meta device it also finds constants that are copied from the CPU.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, Tensor)]
        devices = {tensor.device.type for tensor in tensors if tensor.ndim}
        if len(devices) > 1 or getattr(function, "overloadpacket", None) in READS:
            self.names.append(str(function))
        return result
