"""An ONNX graph under audit: every tensor an output, interventions as inputs of their own.

The graph runs in onnxruntime without optimisations, so that its nodes stay as they are. What an
intervention replaces becomes an input of the graph: the tensor is computed, changed, and fed to the
nodes that read it. The arithmetic is the graph's, as a rule single precision.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

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
    one_dimensional,
)
from upsampling.networks.onnx_graph import (
    FLOATS,
    KIND_OF,
    attributes_of,
    constants_of,
    depth_to_space,
    node_key,
    open_session,
    override_name,
    rewired,
    run_node,
    run_session,
)


class OnnxNetwork(Network):
    """Run `model`, an onnx.ModelProto with all of its weights inside."""

    def __init__(self, model: Any, name: str, kind: str, samplerate: int):
        self.model = model
        self.name, self.kind, self.samplerate = name, kind, samplerate
        stored = self._initializers()
        self.nodes = {
            node_key(index, node, stored): node for index, node in enumerate(model.graph.node)
        }
        self.constants = constants_of(model)
        self.produced = [name for node in model.graph.node for name in node.output if name]
        self._sessions: dict[tuple[Any, ...], Any] = {}
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
        if not free:
            raise NetworkError(f"the time of its input {self.input}, {shape}, is not variable")
        self.time_axis, self.rank = free[-1], len(shape)
        fixed = [1] if self.rank == 2 else [size for size in shape[1:] if isinstance(size, int)]
        self.channels = fixed[0] if fixed else 0

    def trace(self, inputs: Floats) -> Trace:
        """Record the nodes that depend on the input; the outputs of all others are constants."""
        made = zip(self.produced, self._feed(inputs, tuple(self.produced), {}), strict=True)
        tensors = {name: value for name, value in made if isinstance(value, np.ndarray)}
        shapes = {name: value.shape for name, value in tensors.items()}
        values = {self.input: Value(INPUT, self._tensor(inputs).shape)}
        stored, operations = self._initializers(), []
        for key, node in self.nodes.items():
            known = tuple(values[name] for name in node.input if name in values)
            if not known or node.op_type == "Shape":
                self.constants |= {n: tensors[n] for n in node.output if n in tensors}
                continue
            for name in node.output:
                values[name] = Value(len(values), shapes.get(name, ()))
            outputs = tuple(values[name] for name in node.output if name in tensors)
            parameters = tuple(name for name in node.input if name in stored)
            kind = KIND_OF.get(node.op_type, "other")
            grid = attributes_of(node).get("pads", [0])[0] if kind == "transposed" else 0
            operations.append(Operation(key, kind, known, outputs, parameters, node, grid))
        output = self.model.graph.output[0].name
        if output not in values:
            raise NetworkError("its output does not depend on its input")
        return Trace(tuple(operations), values[output])

    def run(self, inputs: Floats, flat: Sequence[Flat] = (), keep: Collection[Key] = ()) -> Run:
        """Run the graph once for each of `flat`, and once more with all that they replace."""
        output = self.model.graph.output[0].name
        overrides: dict[str, Floats] = {}
        for one in flat:
            tensor = self.nodes[one.key].output[0]
            overrides[tensor] = one(self._feed(inputs, (tensor,), overrides)[0])
        names = [self.nodes[key].input[0] for key in keep]
        fetched = tuple(dict.fromkeys([output, *(n for n in names if n != self.input)]))
        values = dict(zip(fetched, self._feed(inputs, fetched, overrides), strict=True))
        values |= {self.input: self._tensor(inputs)} | overrides
        return values[output], {key: values[n] for key, n in zip(keep, names, strict=True)}

    def replay(self, operation: Operation, value: Floats) -> Floats:
        """Move values and add constants with NumPy; run any other node by itself."""
        node = operation.handle
        attributes = attributes_of(node)
        if node.op_type == "Transpose":
            return np.transpose(value, attributes.get("perm"))
        if node.op_type == "DepthToSpace":
            return depth_to_space(value, attributes)
        if node.op_type == "Add":
            other = [name for name in node.input if name in self.constants]
            return value + self.constants[other[0]] if other else value
        if operation.kind == "movement":
            return value.reshape(operation.outputs[0].shape)
        return run_node(node, value, self.constants, self.model)

    def weights(self, operation: Operation) -> Weights | None:
        """The constant weights of a layer in one dimension without dilation; None for others."""
        node, attributes = operation.handle, attributes_of(operation.handle)
        weight = self.constants.get(node.input[1]) if operation.kind in WEIGHTED else None
        if weight is None or (node.op_type == "Gemm" and attributes.get("transA", 0)):
            return None
        if operation.kind == "linear" and not _turned(node):
            weight = weight.T
        return one_dimensional(
            operation.kind,
            weight,
            self.constants.get(node.input[2]) if len(node.input) > 2 else None,
            attributes.get("strides", [1]),
            attributes.get("group", 1),
            attributes.get("pads", [0]),
            attributes.get("dilations", [1]),
        )

    def assign(self, operation: Operation, weight: Floats, bias: Floats) -> None:
        node = operation.handle
        if operation.kind == "linear":
            weight = weight[..., 0] if _turned(node) else weight[..., 0].T
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

    def _feed(
        self, inputs: Floats, fetched: tuple[str, ...], overrides: dict[str, Floats]
    ) -> list[Floats]:
        """The tensors `fetched`, where those of `overrides` have other values."""
        session = self._session(tuple(overrides), fetched)
        needed = {one.name for one in session.get_inputs()}
        feeds = {override_name(name): value for name, value in overrides.items()}
        feeds[self.input] = self._tensor(inputs)
        return run_session(session, fetched, {n: v for n, v in feeds.items() if n in needed})

    def _session(self, overridden: tuple[str, ...], fetched: tuple[str, ...]) -> Any:
        """A session that gives `fetched` and takes values in place of the `overridden` tensors."""
        key = overridden, fetched
        if key not in self._sessions:
            self._sessions[key] = open_session(rewired(self.model, *key).SerializeToString())
        return self._sessions[key]


def _turned(node: Any) -> bool:
    """True if the matrix of a linear layer is [out, in]."""
    return node.op_type == "Gemm" and bool(attributes_of(node).get("transB", 0))
