"""A PyTorch or TorchScript module under audit, run under a mode that sees every ATen operator.

In inference mode composite operators (`conv_transpose1d`, `istft`, `reshape`) reach a dispatch mode
whole, from Python code and from TorchScript's interpreter alike. Hooks add the path of the module
that calls them; in TorchScript, parameters tell it.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

from upsampling.audit.network import (
    INPUT,
    Flat,
    Floats,
    Key,
    Network,
    NetworkError,
    Operation,
    Trace,
    Value,
    Weights,
)

KINDS = {
    "transposed": ("conv_transpose1d", "conv_transpose2d"),
    "convolution": ("conv1d", "conv2d"),
    "linear": ("linear",),
    "movement": (
        *("view", "reshape", "_unsafe_view", "flatten", "unflatten", "permute", "transpose"),
        *("squeeze", "unsqueeze", "contiguous", "clone", "movedim", "swapaxes", "pixel_shuffle"),
        *("t", "alias", "detach"),
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
SEED = 0


class TorchNetwork(Network):
    """Run `module` on inputs [1, channels, time], or [1, time] where its rank is set to 2."""

    rank = 3

    def __init__(
        self,
        module: nn.Module,
        name: str,
        samplerate: int,
        kind: str = "audio",
        channels: int = 1,
    ):
        self.module = module.eval().requires_grad_(False)
        self.name, self.samplerate, self.kind, self.channels = name, samplerate, kind, channels
        self.stored = {name: tensor.dtype for name, tensor in self._tensors().items()}
        self.set_precision(torch.float64)

    def set_precision(self, dtype: torch.dtype) -> None:
        """Run in `dtype` from now on."""
        self.dtype = dtype
        self.epsilon = torch.finfo(dtype).eps
        self.module.to(dtype)

    def trace(self, inputs: Floats) -> Trace:
        recorder = Recorder(self._tensors())
        tensor = self._tensor(inputs)
        setattr(tensor, NUMBER, INPUT)
        output = self._call(tensor, recorder.record)
        number = getattr(output, NUMBER, None)
        if number is None:
            raise NetworkError("its output does not depend on its input")
        return Trace(tuple(recorder.operations), Value(number, tuple(output.shape)))

    def run(
        self, inputs: Floats, flat: Sequence[Flat] = (), keep: Collection[Key] = ()
    ) -> tuple[Floats, dict[Key, Floats]]:
        by_key = {one.key: one for one in flat}
        kept: dict[Key, Floats] = {}

        def intervene(key: Key, call: "Call", output: Any) -> Any:
            if key in keep:
                kept[key] = call.first.numpy()
            if key not in by_key:
                return output
            return torch.from_numpy(by_key[key](output.numpy()))

        output = self._call(self._tensor(inputs), intervene)
        return output.numpy(), kept

    def replay(self, operation: Operation, value: Floats) -> Floats:
        call: Call = operation.handle
        tensor = torch.from_numpy(value)
        if operation.kind == "module":
            tensor = tensor.to(self.dtype)
        args, kwargs = tree_map_only(Value, lambda one: tensor, (call.args, call.kwargs))
        with torch.inference_mode():
            return call.function(*args, **kwargs).numpy()

    def weights(self, operation: Operation) -> Weights | None:
        if operation.kind not in ("transposed", "convolution", "linear"):
            return None
        values = operation.handle.named()
        weight, bias = values["weight"], values.get("bias")
        if operation.kind == "linear":
            weight = weight[..., None]
        dilated = operation.kind != "linear" and any(n != 1 for n in values["dilation"])
        if weight.ndim != 3 or dilated or isinstance(values.get("padding"), str):
            return None
        transposed = operation.kind == "transposed"
        groups = values.get("groups", 1)
        count = weight.shape[1] * groups if transposed else len(weight)
        return Weights(
            weight.double().numpy(),
            np.zeros(count) if bias is None else bias.double().numpy(),
            transposed,
            values.get("stride", [1])[0],
            groups,
            values.get("padding", [0])[0],
        )

    def assign(self, operation: Operation, weight: Floats, bias: Floats) -> None:
        values = operation.handle.named()
        self._write(values["weight"], operation.parameters, weight)
        if values.get("bias") is not None:
            self._write(values["bias"], (), bias)
        elif np.any(bias):
            raise NetworkError(f"{operation.key[0] or operation.key[1]} has no bias to repair")

    def save(self, path: str) -> None:
        if isinstance(self.module, torch.jit.ScriptModule):
            self._as_stored(lambda: torch.jit.save(self.module, path))
        else:
            from safetensors.torch import save_model

            self._as_stored(lambda: save_model(self.module, path))

    def _as_stored(self, write: Callable[[], None]) -> None:
        """Call `write` while all tensors have the precision that they came with."""
        for name, tensor in self._tensors().items():
            tensor.data = tensor.data.to(self.stored[name])
        try:
            write()
        finally:
            self.module.to(self.dtype)

    def _write(self, target: Tensor, origins: tuple[str, ...], value: Floats) -> None:
        """Store `value` as the parameter `target`, or as what weight norm computes it from."""
        tensors = self._tensors()
        new = torch.from_numpy(np.ascontiguousarray(value)).to(self.dtype).reshape(target.shape)
        for name, tensor in tensors.items():
            if tensor is target:
                self._store(name, new)
                return
        named = {_role(name): name for name in origins}
        if set(named) != {"direction", "norm"}:
            sources = ", ".join(origins) or "no parameter"
            raise NetworkError(f"a weight that is computed from {sources} cannot be repaired")
        gain = tensors[named["norm"]]
        axes = [axis for axis, size in enumerate(gain.shape) if size == 1 != target.shape[axis]]
        self._store(named["direction"], new)
        self._store(named["norm"], torch.linalg.vector_norm(new, dim=axes, keepdim=True))

    def _store(self, name: str, value: Tensor) -> None:
        rounded = value.to(self.stored[name]).to(self.dtype)
        self._tensors()[name].data.copy_(rounded)

    def _tensors(self) -> dict[str, Tensor]:
        """Parameters and buffers by name."""
        return dict(self.module.named_parameters()) | dict(self.module.named_buffers())

    def _tensor(self, inputs: Floats) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(inputs)).to(self.dtype)
        return tensor if self.rank == 2 else tensor[None]

    def _call(self, inputs: Tensor, handle: Callable[[Key, "Call", Any], Any]) -> Tensor:
        mode = _Mode(handle, self.module)
        default = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)
        try:
            with torch.random.fork_rng(devices=[]), torch.inference_mode(), mode.paths(), mode:
                torch.manual_seed(SEED)
                output = self.module(inputs)
        except Exception as error:
            raise NetworkError(_first_line(error)) from error
        finally:
            torch.set_default_dtype(default)
        tensors = _tensors(output)
        if not tensors:
            raise NetworkError("it returns no tensor")
        if tensors[0].is_complex():
            raise NetworkError("it returns complex numbers, not samples")
        return tensors[0].resolve_conj().resolve_neg()


class Call:
    """An ATen operator and its arguments."""

    def __init__(self, function: Any, args: Any, kwargs: Any):
        self.function, self.args, self.kwargs = function, args, kwargs

    @property
    def first(self) -> Tensor:
        """The first tensor among the arguments."""
        return _tensors((self.args, self.kwargs))[0]

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
        tensors, results = _tensors((call.args, call.kwargs)), _tensors(output)
        inputs = tuple(self._value(one) for one in tensors if self._depends(one))
        weights = [one for one in tensors if not self._depends(one)]
        origins = tuple(dict.fromkeys(name for one in weights for name in self._origins(one)))
        if isinstance(call.function, nn.Module):
            if inputs and results:
                handle = self._described(call, inputs)
                outputs = tuple(self._value(one) for one in results if self._depends(one))
                self.operations.append(Operation(key, "module", inputs, outputs, (), handle))
            return output
        if not inputs:
            for one in results:
                if id(one) not in self.names:
                    setattr(one, ORIGINS, origins)
            return output
        for one in results:
            self.count += 1
            setattr(one, NUMBER, self.count)
            if call.function._schema.is_mutable:
                self.written[one.untyped_storage().data_ptr()] = (self.count, one)
        if results:
            handle = self._described(call, inputs)
            outputs = tuple(self._value(one) for one in results)
            kind = _kind(key[1], call)
            grid = call.named()["padding"][-1] if kind == "transposed" else 0
            self.operations.append(Operation(key, kind, inputs, outputs, origins, handle, grid))
        return output

    def _depends(self, tensor: Tensor) -> bool:
        """Whether the input reaches a tensor: by an operation, or by a write into its memory."""
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


class _Mode(TorchDispatchMode):
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
        with torch.utils._python_dispatch._disable_current_modes():
            result = self._handled("forward", Call(module, args, {}), output)
        self.stack.pop()
        return result


def _tensors(values: Any) -> list[Tensor]:
    return [one for one in tree_flatten(values)[0] if isinstance(one, Tensor)]


def _kind(name: str, call: Call) -> str:
    if name in ("convolution", "_convolution"):
        return "transposed" if call.named()["transposed"] else "convolution"
    return KIND_OF.get(name, "other")


def _role(name: str) -> str:
    """The part of a parameter in weight norm, as both of PyTorch's implementations name it."""
    if name.endswith(("weight_g", "weight.original0")):
        return "norm"
    return "direction" if name.endswith(("weight_v", "weight.original1")) else name


def _first_line(error: Exception) -> str:
    """What an exception says, without TorchScript's traceback."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    if "Traceback of TorchScript" in str(error):
        lines = lines[-1:]
    return lines[0] if lines else type(error).__name__
