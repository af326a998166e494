"""An ONNX graph under audit: every tensor an output, interventions as inputs of their own.

The graph runs in onnxruntime without optimisations, so that its nodes stay as they are. What an
intervention replaces becomes an input of the graph: the tensor is computed, changed, and fed to the
nodes that read it. The arithmetic is the graph's, as a rule single precision.
"""

import threading
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

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
    "ConvTranspose": "transposed",
    "Conv": "convolution",
    "MatMul": "linear",
    "Gemm": "linear",
    "Add": "addition",
    "Resize": "interpolation",
    "Upsample": "interpolation",
    "Gather": "interpolation",
    "GridSample": "interpolation",
    "Col2Im": "inverse_stft",
    "Concat": "concatenation",
    "Tile": "concatenation",
    "ConstantOfShape": "concatenation",
    "Shape": "concatenation",
}
MOVEMENTS = (
    *("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Identity", "DepthToSpace"),
)
FLOATS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
# Seconds after which a run is stopped: a graph may loop for ever.
LONGEST_RUN = 600.0


class OnnxNetwork(Network):
    """Run `model`, an onnx.ModelProto with all of its weights inside."""

    def __init__(self, model: Any, name: str, kind: str, samplerate: int):
        self.model = model
        self.name, self.kind, self.samplerate = name, kind, samplerate
        self.nodes = {_key(index, node): node for index, node in enumerate(model.graph.node)}
        self.constants = _constants(model)
        self.produced = [name for node in model.graph.node for name in node.output if name]
        self._sessions: dict[tuple[Any, ...], Any] = {}
        self._replaced: set[str] = set()
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._describe_input()

    def _describe_input(self) -> None:
        inputs = self._session((), ()).get_inputs()
        if len(inputs) != 1 or inputs[0].type not in FLOATS:
            given = ", ".join(f"{one.name}: {one.type}{one.shape}" for one in inputs)
            raise NetworkError(
                f"an audit needs one input of floats, and this graph has {given}; name a tensor "
                "within it, such as the input of its decoder, with --from"
            )
        self.input = inputs[0].name
        self.dtype = FLOATS[inputs[0].type]
        self.epsilon = float(np.finfo(self.dtype).eps)
        shape = list(inputs[0].shape)
        if len(shape) not in (2, 3):
            raise NetworkError(f"its input {self.input} is {shape}, not [batch, channels, time]")
        free = [axis for axis, size in enumerate(shape) if axis and not isinstance(size, int)]
        fixed = [axis for axis, size in enumerate(shape) if axis and isinstance(size, int)]
        if not free:
            raise NetworkError(f"the time of its input {self.input}, {shape}, is not variable")
        self.time_axis = free[-1]
        self.rank = len(shape)
        self.channels = shape[fixed[0]] if fixed else 0
        if self.rank == 2:
            self.channels = 1

    def trace(self, inputs: Floats) -> Trace:
        values = self._values(inputs)
        numbers = {self.input: INPUT}
        self._shapes = {name: np.shape(value) for name, value in values.items()}
        self._shapes[self.input] = self._tensor(inputs).shape
        operations = []
        for key, node in self.nodes.items():
            known = [name for name in node.input if name in numbers]
            if not known or node.op_type == "Shape":
                self.constants |= {n: values[n] for n in node.output if n in values}
                continue
            for name in node.output:
                numbers[name] = len(numbers)
            made = [name for name in node.output if name in values]
            operations.append(
                Operation(
                    key,
                    _kind(node),
                    tuple(Value(numbers[name], self._shapes[name]) for name in known),
                    tuple(Value(numbers[name], self._shapes[name]) for name in made),
                    tuple(name for name in node.input if name in self._initializers()),
                    node,
                    _grid(node),
                )
            )
        output = self.model.graph.output[0].name
        if output not in numbers:
            raise NetworkError("its output does not depend on its input")
        return Trace(tuple(operations), Value(numbers[output], self._shapes[output]))

    def run(
        self, inputs: Floats, flat: Sequence[Flat] = (), keep: Collection[Key] = ()
    ) -> tuple[Floats, dict[Key, Floats]]:
        output = self.model.graph.output[0].name
        overrides: dict[str, Floats] = {}
        for one in flat:
            tensor = self.nodes[one.key].output[0]
            made = self._feed(inputs, tuple(overrides), (tensor,), overrides)
            overrides[tensor] = one(made[0])
        names = [self.nodes[key].input[0] for key in keep]
        fetched = tuple(dict.fromkeys([output, *(n for n in names if n != self.input)]))
        values = dict(
            zip(fetched, self._feed(inputs, tuple(overrides), fetched, overrides), strict=True)
        )
        values[self.input] = self._tensor(inputs)
        return values[output], {key: values[n] for key, n in zip(keep, names, strict=True)}

    def replay(self, operation: Operation, value: Floats) -> Floats:
        node = operation.handle
        attributes = _attributes(node)
        if node.op_type == "Transpose":
            return np.transpose(value, attributes.get("perm"))
        if node.op_type == "DepthToSpace":
            return _depth_to_space(value, attributes)
        if node.op_type == "Add":
            other = [name for name in node.input if name in self.constants]
            return value + self.constants[other[0]] if other else value
        if node.op_type in MOVEMENTS:
            return value.reshape(operation.outputs[0].shape)
        return self._single(operation, value)

    def weights(self, operation: Operation) -> Weights | None:
        node, attributes = operation.handle, _attributes(operation.handle)
        if operation.kind not in ("transposed", "convolution", "linear"):
            return None
        weight = self.constants.get(node.input[1])
        if weight is None or (node.op_type == "Gemm" and attributes.get("transA", 0)):
            return None
        weight = np.asarray(weight, dtype=np.float64)
        if operation.kind == "linear":
            if weight.ndim != 2:
                return None
            turned = node.op_type == "Gemm" and attributes.get("transB", 0)
            weight = (weight if turned else weight.T)[..., None]
        if weight.ndim != 3 or any(one != 1 for one in attributes.get("dilations", [1])):
            return None
        transposed = operation.kind == "transposed"
        groups = attributes.get("group", 1)
        count = weight.shape[1] * groups if transposed else len(weight)
        bias = self.constants.get(node.input[2]) if len(node.input) > 2 else None
        return Weights(
            weight,
            np.zeros(count) if bias is None else np.asarray(bias, np.float64).reshape(count),
            transposed,
            attributes.get("strides", [1])[0],
            groups,
            attributes.get("pads", [0])[0],
        )

    def assign(self, operation: Operation, weight: Floats, bias: Floats) -> None:
        node = operation.handle
        if operation.kind == "linear":
            weight = weight[..., 0]
            turned = node.op_type == "Gemm" and _attributes(node).get("transB", 0)
            weight = weight if turned else weight.T
        self._replace(node, 1, weight)
        if len(node.input) > 2 and node.input[2]:
            self._replace(node, 2, bias)
        elif np.any(bias):
            raise NetworkError(f"{node.name or node.op_type} has no bias to repair")
        self._sessions.clear()

    def save(self, path: str) -> None:
        import onnx

        onnx.save(self.model, path)

    def _replace(self, node: Any, place: int, value: Floats) -> None:
        """Give `node` a constant of its own as input `place`."""
        import onnx

        old = np.asarray(self.constants[node.input[place]])
        new = np.ascontiguousarray(value.astype(old.dtype))
        name = f"{node.output[0]}/repaired_{place}"
        graph = self.model.graph
        for one in [one for one in graph.initializer if one.name == name]:
            graph.initializer.remove(one)
        graph.initializer.append(onnx.numpy_helper.from_array(new, name))
        replaced, node.input[place] = node.input[place], name
        self.constants[name] = new
        used = {one for other in graph.node for one in other.input}
        for one in [one for one in graph.initializer if one.name == replaced not in used]:
            graph.initializer.remove(one)

    def _initializers(self) -> set[str]:
        return {one.name for one in self.model.graph.initializer}

    def _tensor(self, inputs: Floats) -> Floats:
        tensor = np.ascontiguousarray(inputs, dtype=self.dtype)
        if self.rank == 2:
            return tensor
        return tensor[None] if self.time_axis == 2 else np.ascontiguousarray(tensor.T)[None]

    def _values(self, inputs: Floats) -> dict[str, Floats]:
        """Every tensor of the graph by name."""
        values = self._feed(inputs, (), tuple(self.produced), {})
        return {
            name: value
            for name, value in zip(self.produced, values, strict=True)
            if isinstance(value, np.ndarray)
        }

    def _feed(
        self,
        inputs: Floats,
        overridden: tuple[str, ...],
        fetched: tuple[str, ...],
        overrides: dict[str, Floats],
    ) -> list[Floats]:
        session = self._session(overridden, fetched)
        needed = {one.name for one in session.get_inputs()}
        feeds = {self.input: self._tensor(inputs)} | {
            _override(name): value for name, value in overrides.items()
        }
        return _run(session, fetched, {n: v for n, v in feeds.items() if n in needed})

    def _session(self, overridden: tuple[str, ...], fetched: tuple[str, ...]) -> Any:
        """A session that gives `fetched` and takes what replaces the `overridden` tensors."""
        if (overridden, fetched) not in self._sessions:
            self._sessions[overridden, fetched] = _session(
                rewired(self.model, overridden, fetched).SerializeToString()
            )
        return self._sessions[overridden, fetched]

    def _single(self, operation: Operation, value: Floats) -> Floats:
        """Run one node alone, its other inputs as they were in the trace."""
        import onnx

        node = operation.handle
        data = node.input[0]
        constants = [n for n in node.input[1:] if n in self.constants]
        graph = onnx.helper.make_graph(
            [node],
            "single",
            [onnx.helper.make_tensor_value_info(data, onnx.TensorProto.FLOAT, value.shape)],
            [onnx.ValueInfoProto(name=node.output[0])],
            [onnx.numpy_helper.from_array(np.asarray(self.constants[n]), n) for n in constants],
        )
        model = onnx.helper.make_model(graph, opset_imports=self.model.opset_import)
        model.ir_version = self.model.ir_version
        session = _session(model.SerializeToString())
        return _run(session, [node.output[0]], {data: value.astype(np.float32)})[0]


def rewired(model: Any, overridden: Sequence[str], fetched: Sequence[str]) -> Any:
    """A copy of `model` with `fetched` as further outputs, and inputs in place of `overridden`."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    present = {one.name for one in graph.output}
    graph.output.extend(onnx.ValueInfoProto(name=n) for n in fetched if n not in present)
    for name in overridden:
        for node in graph.node:
            for place, one in enumerate(node.input):
                if one == name:
                    node.input[place] = _override(name)
        kind = onnx.TensorProto.FLOAT
        graph.input.append(onnx.helper.make_tensor_value_info(_override(name), kind, None))
    return copy


def _override(name: str) -> str:
    return f"{name}/override"


def _session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except Exception as error:
        raise NetworkError(_first_line(error)) from error


def _run(session: Any, fetched: Sequence[str], feeds: dict[str, Floats]) -> list[Floats]:
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    watchdog = threading.Timer(LONGEST_RUN, lambda: setattr(options, "terminate", True))
    watchdog.daemon = True
    watchdog.start()
    try:
        return session.run(list(fetched), feeds, options)
    except Exception as error:
        raise NetworkError(_first_line(error)) from error
    finally:
        watchdog.cancel()


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _key(index: int, node: Any) -> Key:
    return (_path(node), node.op_type, index)


def _path(node: Any) -> str:
    """The module that a node came from, as exporters write it: /dec/ups.0/Conv, or name scopes."""
    scopes = {one.key: one.value for one in node.metadata_props}.get("pkg.torch.onnx.name_scopes")
    if scopes:
        import ast

        names = ast.literal_eval(scopes)
        return next((name for name in reversed(names[:-1]) if name), "")
    return node.name.strip("/").rpartition("/")[0].replace("/", ".") if "/" in node.name else ""


def _kind(node: Any) -> str:
    return "movement" if node.op_type in MOVEMENTS else KINDS.get(node.op_type, "other")


def _grid(node: Any) -> int:
    return _attributes(node).get("pads", [0])[0] if node.op_type == "ConvTranspose" else 0


def _attributes(node: Any) -> dict[str, Any]:
    import onnx

    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}


def _constants(model: Any) -> dict[str, Floats]:
    import onnx

    constants = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            for value in _attributes(node).values():
                if isinstance(value, onnx.TensorProto):
                    constants[node.output[0]] = onnx.numpy_helper.to_array(value)
    return constants


def _depth_to_space(value: Floats, attributes: dict[str, Any]) -> Floats:
    size, (batch, channels, height, width) = attributes["blocksize"], value.shape
    rest = channels // size**2
    if attributes.get("mode", b"DCR") == b"CRD":
        split = value.reshape(batch, rest, size, size, height, width).transpose(0, 1, 4, 2, 5, 3)
    else:
        split = value.reshape(batch, size, size, rest, height, width).transpose(0, 3, 4, 1, 5, 2)
    return split.reshape(batch, rest, height * size, width * size)
