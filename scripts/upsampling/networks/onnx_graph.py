"""ONNX graphs: their nodes' attributes and constants, rewiring, and runs in onnxruntime."""

import ast
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from upsampling.networks.network import Floats, Key, NetworkError, first_line

KINDS = {
    "transposed": ("ConvTranspose",),
    "convolution": ("Conv",),
    "linear": ("MatMul", "Gemm"),
    "addition": ("Add",),
    "interpolation": ("Resize", "Upsample", "Gather", "GridSample"),
    "inverse_stft": ("Col2Im",),
    "concatenation": ("Concat", "Tile", "ConstantOfShape", "Shape"),
    "movement": (
        "Reshape",
        "Transpose",
        "Squeeze",
        "Unsqueeze",
        "Flatten",
        "Identity",
        "DepthToSpace",
    ),
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}
FLOATS: dict[str, type[np.floating[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
}
# Seconds after which a run is stopped: a graph may loop for ever.
LONGEST_RUN = 600.0


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
                    node.input[place] = override_name(name)
        kind = onnx.TensorProto.FLOAT
        graph.input.append(onnx.helper.make_tensor_value_info(override_name(name), kind, None))
    return copy


def override_name(name: str) -> str:
    return f"{name}/override"


def open_session(content: bytes) -> Any:
    """A session of ONNX Runtime on one thread, its graph as it is; `NetworkError` if it refuses."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except Exception as error:
        raise NetworkError(first_line(error)) from error


def run_session(session: Any, fetched: Sequence[str], feeds: dict[str, Floats]) -> list[Floats]:
    """Run a session for the tensors `fetched`; `NetworkError` if it fails or takes too long."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    watchdog = threading.Timer(LONGEST_RUN, lambda: setattr(options, "terminate", True))
    watchdog.daemon = True
    watchdog.start()
    try:
        return session.run(list(fetched), feeds, options)
    except Exception as error:
        raise NetworkError(first_line(error)) from error
    finally:
        watchdog.cancel()


def run_node(node: Any, value: Floats, constants: Mapping[str, Floats], model: Any) -> Floats:
    """Run one node of `model` alone on `value`, its other inputs as in `constants`."""
    import onnx

    stored = [name for name in node.input[1:] if name in constants]
    graph = onnx.helper.make_graph(
        [node],
        "single",
        [onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, value.shape)],
        [onnx.ValueInfoProto(name=node.output[0])],
        [onnx.numpy_helper.from_array(np.asarray(constants[name]), name) for name in stored],
    )
    alone = onnx.helper.make_model(graph, opset_imports=model.opset_import)
    alone.ir_version = model.ir_version
    session = open_session(alone.SerializeToString())
    return run_session(session, [node.output[0]], {node.input[0]: value.astype(np.float32)})[0]


def node_key(index: int, node: Any, stored: Collection[str]) -> Key:
    """The node's place in a module, its type, and its number; `stored` are names of weights."""
    return (_path(node, stored), node.op_type, index)


def _path(node: Any, stored: Collection[str]) -> str:
    """The module that a node came from, by its weight (dec.ups.0.weight) or as exporters tell."""
    for name in node.input[1:2]:
        if name in stored and name.endswith(".weight"):
            return name.removesuffix(".weight")
    scopes = {one.key: one.value for one in node.metadata_props}.get("pkg.torch.onnx.name_scopes")
    if scopes:
        names = ast.literal_eval(scopes)
        return next((name for name in reversed(names[:-1]) if name), "")
    # /decoder/decoder.1/Conv: each part is relative to the one before, or repeats it.
    path = ""
    for part in node.name.strip("/").split("/")[:-1]:
        path = part if not path or part.startswith(f"{path}.") else f"{path}.{part}"
    return path


def attributes_of(node: Any) -> dict[str, Any]:
    import onnx

    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}


def constants_of(model: Any) -> dict[str, Floats]:
    """Values that are stored in a model, by name: initializers and outputs of Constant nodes."""
    import onnx

    constants = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            for value in attributes_of(node).values():
                if isinstance(value, onnx.TensorProto):
                    constants[node.output[0]] = onnx.numpy_helper.to_array(value)
    return constants


def depth_to_space(value: Floats, attributes: dict[str, Any]) -> Floats:
    """ONNX's DepthToSpace: [b, c s^2, h, w] to [b, c, h s, w s], where s is `blocksize`."""
    size, (batch, channels, height, width) = attributes["blocksize"], value.shape
    rest = channels // size**2
    if attributes.get("mode", b"DCR") == b"CRD":
        split = value.reshape(batch, rest, size, size, height, width).transpose(0, 1, 4, 2, 5, 3)
    else:
        split = value.reshape(batch, size, size, rest, height, width).transpose(0, 3, 4, 1, 5, 2)
    return split.reshape(batch, rest, height * size, width * size)
