"""A PyTorch or TorchScript module under audit."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_model
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from upsampling.networks.network import (
    INPUT,
    WEIGHTED,
    Flat,
    Floats,
    Key,
    Network,
    NetworkError,
    Operation,
    Run,
    Trace,
    Value,
    Weights,
    first_line,
    one_dimensional,
)
from upsampling.networks.torch_trace import NUMBER, Call, Mode, Recorder, tensors_in

SEED = 0
# A parameter's part in weight norm, as both of PyTorch's implementations name it.
ROLES = {"norm": ("weight_g", "weight.original0"), "direction": ("weight_v", "weight.original1")}


class TorchNetwork(Network):
    """Run `module` on inputs [1, channels, time], or [1, time] where its rank is set to 2."""

    rank = 3

    def __init__(
        self, module: nn.Module, name: str, samplerate: int, kind: str = "audio", channels: int = 1
    ):
        self.module = module.eval()
        for parameter in module.parameters():
            parameter.requires_grad_(False)
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

    def run(self, inputs: Floats, flat: Sequence[Flat] = (), keep: Collection[Key] = ()) -> Run:
        """Run the module; raises `NetworkError` if it does not call all of `flat` and `keep`."""
        by_key = {one.key: one for one in flat}
        missing = {*by_key, *keep}
        kept: dict[Key, Floats] = {}

        def intervene(key: Key, call: Call, output: Any) -> Any:
            missing.discard(key)
            if key in keep:
                kept[key] = call.first.numpy()
            if key not in by_key:
                return output
            return torch.from_numpy(by_key[key](output.numpy()))

        output = self._call(self._tensor(inputs), intervene)
        if missing:
            path, name, _ = min(missing)
            raise NetworkError(
                f"inputs of other lengths are computed otherwise: {name} of "
                f"{path or 'the network'} is not called"
            )
        return output.numpy(), kept

    def replay(self, operation: Operation, value: Floats) -> Floats:
        call: Call = operation.handle
        tensor = torch.from_numpy(value)
        if operation.kind == "module":
            tensor = tensor.to(self.dtype)
        args, kwargs = tree_map_only(Value, lambda one: tensor, (call.args, call.kwargs))
        with self._arithmetic():
            return call.function(*args, **kwargs).numpy()

    def weights(self, operation: Operation) -> Weights | None:
        """The weights of a layer in one dimension without dilation; None for others."""
        if operation.kind not in WEIGHTED:
            return None
        values = operation.handle.named()
        bias = values.get("bias")
        return one_dimensional(
            operation.kind,
            values["weight"].double().numpy(),
            None if bias is None else bias.double().numpy(),
            values.get("stride", [1]),
            values.get("groups", 1),
            values.get("padding", [0]),
            values.get("dilation", [1]),
        )

    def assign(self, operation: Operation, weight: Floats, bias: Floats) -> None:
        values = operation.handle.named()
        self._write(values["weight"], operation.parameters, weight)
        if values.get("bias") is not None:
            self._write(values["bias"], (), bias)
        elif np.any(bias):
            raise NetworkError(f"{operation.key[0] or operation.key[1]} has no bias to repair")

    def save(self, path: str) -> None:
        """Write the module or its weights, all tensors in the precision that they came with."""
        script = isinstance(self.module, torch.jit.ScriptModule)
        for name, tensor in self._tensors().items():
            tensor.data = tensor.data.to(self.stored[name])
        try:
            (torch.jit.save if script else save_model)(self.module, path)
        finally:
            self.module.to(self.dtype)

    def _write(self, target: Tensor, origins: tuple[str, ...], value: Floats) -> None:
        """Store `value` as the parameter `target`, or as the parameters that weight norm uses."""
        tensors = self._tensors()
        new = torch.from_numpy(np.ascontiguousarray(value)).to(self.dtype).reshape(target.shape)
        for name, tensor in tensors.items():
            if tensor is target:
                self._store(name, new)
                return
        named = {role: one for role, ends in ROLES.items() for one in origins if one.endswith(ends)}
        if len(named) != 2:
            sources = ", ".join(origins) or "no parameter"
            raise NetworkError(f"a weight that is computed from {sources} cannot be repaired")
        gain = tensors[named["norm"]]
        axes = [axis for axis, size in enumerate(gain.shape) if size == 1 != target.shape[axis]]
        self._store(named["direction"], new)
        self._store(named["norm"], torch.linalg.vector_norm(new, dim=axes, keepdim=True))
        # The trace keeps the results computed from them; it stays true.
        direction = tensors[named["direction"]]
        norm = torch.linalg.vector_norm(direction, dim=axes, keepdim=True)
        with torch.inference_mode():
            target.copy_(direction * gain / norm)

    def _store(self, name: str, value: Tensor) -> None:
        rounded = value.to(self.stored[name]).to(self.dtype)
        self._tensors()[name].data.copy_(rounded)

    def _tensors(self) -> dict[str, Tensor]:
        """Parameters and buffers by name."""
        return dict(self.module.named_parameters()) | dict(self.module.named_buffers())

    def _tensor(self, inputs: Floats) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(inputs)).to(self.dtype)
        return tensor if self.rank == 2 else tensor[None]

    @contextlib.contextmanager
    def _arithmetic(self) -> Iterator[None]:
        """Inference with tensors of the network's precision, and the same random numbers."""
        default = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)
        try:
            with torch.random.fork_rng(devices=[]), torch.inference_mode():
                torch.manual_seed(SEED)
                yield
        finally:
            torch.set_default_dtype(default)

    def _call(self, inputs: Tensor, handle: Callable[[Key, Call, Any], Any]) -> Tensor:
        mode = Mode(handle, self.module)
        try:
            with self._arithmetic(), mode.paths(), mode:
                output = self.module(inputs)
        except Exception as error:
            raise NetworkError(first_line(error)) from error
        tensors = tensors_in(output)
        if not tensors:
            raise NetworkError("it returns no tensor")
        if tensors[0].is_complex():
            raise NetworkError("it returns complex numbers, not samples")
        return tensors[0].resolve_conj().resolve_neg()
