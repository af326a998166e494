"""Every operator that a PyTorch or TorchScript module calls, as operations of a trace.

In inference mode composite operators (`conv_transpose1d`, `istft`, `reshape`) reach a dispatch mode
whole, from Python code and from TorchScript's interpreter alike. Hooks add the path of the module
that calls them; in TorchScript, parameters tell it.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten, tree_map_only

from upsampling.networks.network import INPUT, Key, Operation, Value

KINDS = {
    "transposed": ("conv_transpose1d", "conv_transpose2d"),
    "convolution": ("conv1d", "conv2d"),
    "linear": ("linear",),
    "movement": (
        *("view", "reshape", "_unsafe_view", "flatten", "unflatten", "permute", "transpose"),
        *("squeeze", "unsqueeze", "contiguous", "clone", "movedim", "swapaxes", "pixel_shuffle"),
        *("t", "mT", "alias", "detach"),
    ),
    "addition": ("add", "add_"),
    "interpolation": (
        *("upsample_nearest1d", "upsample_linear1d", "upsample_nearest2d", "upsample_bilinear2d"),
        *("upsample_bicubic2d", "_upsample_nearest_exact1d", "repeat_interleave", "index_select"),
        *("index", "gather"),
    ),
    "inverse_stft": ("istft", "col2im"),
    "concatenation": ("cat", "concat", "repeat", "tile", "new_zeros", "new_ones", "new_empty"),
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}
NUMBER, ORIGINS = "_audit_number", "_audit_origins"


class Call:
    """An ATen operator and its arguments."""

    def __init__(self, function: Any, args: Any, kwargs: Any):
        self.function, self.args, self.kwargs = function, args, kwargs

    @property
    def first(self) -> Tensor:
        """The first tensor among the arguments."""
        return tensors_in((self.args, self.kwargs))[0]

    def named(self) -> dict[str, Any]:
        """All arguments by name, defaults included; a number where ATen wants a list is one."""
        schema = self.function._schema.arguments
        values = {one.name: one.default_value for one in schema if one.has_default_value()}
        values |= dict(zip((one.name for one in schema), self.args, strict=False)) | self.kwargs
        for name in ("stride", "padding", "dilation"):
            if isinstance(values.get(name), int):
                values[name] = [values[name]]
        return values


class Recorder:
    """Turns operator calls into the operations of a trace.

    Tensors are numbered by attributes of their own, so that none has to be kept. The arguments of
    `Operation.handle` have a `Value` in place of each tensor that depends on the input.
    """

    def __init__(self, tensors: dict[str, Tensor]):
        # TorchScript's parameters only keep their identity as long as they are held.
        self.tensors = tensors
        self.names = {id(tensor): name for name, tensor in tensors.items()}
        self.operations: list[Operation] = []
        self.count = INPUT
        # Memory that an operation wrote into, with a tensor that keeps it from being used again.
        self.written: dict[int, tuple[int, Tensor]] = {}

    def record(self, key: Key, call: Call, output: Any) -> Any:
        """Append the operation if the input reaches it; else note where its result comes from."""
        tensors, results = tensors_in((call.args, call.kwargs)), tensors_in(output)
        inputs = tuple(self._value(one) for one in tensors if self._depends(one))
        weights = [one for one in tensors if not self._depends(one)]
        origins = tuple(dict.fromkeys(name for one in weights for name in self._origins(one)))
        module = isinstance(call.function, nn.Module)
        for one in [] if module else results:
            if inputs:
                self.count += 1
                setattr(one, NUMBER, self.count)
                if call.function._schema.is_mutable:
                    self.written[one.untyped_storage().data_ptr()] = (self.count, one)
            elif id(one) not in self.names:
                setattr(one, ORIGINS, origins)
        if inputs and results:
            kind = "module" if module else _kind(key[1], call)
            outputs = tuple(self._value(one) for one in results if self._depends(one))
            names = () if module else origins
            grid = call.named()["padding"][-1] if kind == "transposed" else 0
            handle = self._described(call, inputs)
            self.operations.append(Operation(key, kind, inputs, outputs, names, handle, grid))
        return output

    def _depends(self, tensor: Tensor) -> bool:
        """True if the input reaches a tensor: by an operation, or by a write into its memory."""
        if not hasattr(tensor, NUMBER) and id(tensor) not in self.names:
            number, _ = self.written.get(tensor.untyped_storage().data_ptr(), (None, None))
            if number is not None:
                setattr(tensor, NUMBER, number)
        return hasattr(tensor, NUMBER)

    def _value(self, tensor: Tensor) -> Value:
        return Value(getattr(tensor, NUMBER), tuple(tensor.shape))

    def _origins(self, tensor: Tensor) -> tuple[str, ...]:
        name = self.names.get(id(tensor))
        return (name,) if name is not None else getattr(tensor, ORIGINS, ())

    def _described(self, call: Call, inputs: tuple[Value, ...]) -> Call:
        numbers = {value.number for value in inputs}

        def describe(tensor: Tensor) -> Any:
            # An operation in place has numbered its input anew: it is the value that it was.
            if not hasattr(tensor, NUMBER):
                return tensor
            value = self._value(tensor)
            return value if value.number in numbers else inputs[0]

        args, kwargs = tree_map_only(Tensor, describe, (call.args, call.kwargs))
        return Call(call.function, args, kwargs)


class Mode(TorchDispatchMode):
    """Calls `handle` with key, call and result of each operator and module; its answer counts."""

    def __init__(self, handle: Callable[[Key, Call, Any], Any], module: nn.Module):
        super().__init__()
        self.handle, self.module = handle, module
        self.stack = [""]
        self.calls: Counter[tuple[str, str]] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        name = func._schema.name.partition("::")[2]
        return self._handled(name, Call(func, args, kwargs), output)

    def _handled(self, name: str, call: Call, output: Any) -> Any:
        place = (self.stack[-1], name)
        self.calls[place] += 1
        return self.handle((*place, self.calls[place]), call, output)

    @contextlib.contextmanager
    def paths(self) -> Iterator[None]:
        """Keep the path of the module that is running on top of the stack."""
        hooks = []
        for name, module in self.module.named_modules():
            if not isinstance(module, torch.jit.ScriptModule):
                hooks.append(module.register_forward_pre_hook(self._entering(name)))
                hooks.append(module.register_forward_hook(self._leaving, always_call=True))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _entering(self, name: str) -> Callable[..., None]:
        return lambda *_: self.stack.append(name)

    def _leaving(self, module: nn.Module, args: Any, output: Any) -> Any:
        with _disable_current_modes():
            result = self._handled("forward", Call(module, args, {}), output)
        self.stack.pop()
        return result


def tensors_in(values: Any) -> list[Tensor]:
    return [one for one in tree_flatten(values)[0] if isinstance(one, Tensor)]


def _kind(name: str, call: Call) -> str:
    if name in ("convolution", "_convolution"):
        return "transposed" if call.named()["transposed"] else "convolution"
    return KIND_OF.get(name, "other")
