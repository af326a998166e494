"""ONNX files as untrusted data: checked before a single tensor is believed.

A graph's external data may lie in its own folder alone, tensors hold as many bytes as their shapes
say, and a part of a graph can be cut out by the names of its tensors.
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from upsampling.errors import UserError, nearest_match
from upsampling.networks.network import first_line

# Protocol buffers end at 2 GiB, and so does onnxruntime's reading of them.
LARGEST = 2**31 - 1
INSTALL = "pip install onnx onnxruntime, or make audit-demo"


def read_graph(path: Path, first: str | None = None, last: str | None = None) -> Any:
    """Read a model with all of its weights, cut to the part between two of its tensors.

    Returns an onnx.ModelProto. Raises `UserError` for whatever is damaged, hostile or missing.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise UserError(f"{path}: {error.name} is not installed ({INSTALL})") from error
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path} has more than 2 GiB, which ONNX files cannot have")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:
        raise UserError(f"{path} cannot be read as ONNX: {first_line(error)}") from error
    if not model.graph.node:
        raise UserError(f"{path} holds no graph of nodes")
    for tensor in _tensors(model.graph):
        _check_tensor(tensor, path)
    try:
        onnx.load_external_data_for_model(model, str(path.resolve().parent))
    except Exception as error:
        raise UserError(f"{path}: external data cannot be read: {first_line(error)}") from error
    return _cut(model, path, first, last) if first or last else model


def _tensors(graph: Any) -> Iterator[Any]:
    """Every tensor that a graph holds: initialisers, and attributes of nodes at any depth."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
        for inner in _graphs_in(node):
            yield from _tensors(inner)


def _graphs_in(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        yield from [attribute.g] if attribute.HasField("g") else attribute.graphs


def _check_tensor(tensor: Any, path: Path) -> None:
    """Refuse a tensor whose shape and data disagree, or whose data would come from elsewhere."""
    import onnx

    name = tensor.name or "a constant"
    if any(size < 0 for size in tensor.dims):
        raise UserError(f"{path}: {name} has the shape {list(tensor.dims)}")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        _check_external(tensor, path, name)
    elif tensor.raw_data:
        try:
            width = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        except KeyError as error:
            raise UserError(f"{path}: {name} is of no known type") from error
        # Four-bit types pack two numbers into a byte, and every other type has whole bytes.
        if width > 1 and prod(tensor.dims) * width != len(tensor.raw_data):
            raise UserError(
                f"{path}: {name} claims {prod(tensor.dims)} numbers of {width} bytes and has "
                f"{len(tensor.raw_data)} bytes"
            )


def _check_external(tensor: Any, path: Path, name: str) -> None:
    entries = {one.key: one.value for one in tensor.external_data}
    folder = path.resolve().parent
    location = (folder / entries.get("location", "")).resolve()
    if not location.is_relative_to(folder):
        raise UserError(f"{path}: the data of {name} lie outside the model's folder; refused")
    if not location.is_file():
        raise UserError(f"{path}: the data of {name} are missing: {location.name}")
    try:
        start, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
    except ValueError as error:
        raise UserError(f"{path}: the data of {name} have no place in their file") from error
    if start < 0 or length < 0 or start + length > location.stat().st_size:
        raise UserError(f"{path}: the data of {name} go beyond the end of {location.name}")


def _cut(model: Any, path: Path, first: str | None, last: str | None) -> Any:
    """The part of the graph between two tensors, which becomes a graph of its own."""
    import onnx

    graph = model.graph
    names = [one.name for one in graph.input] + [o for node in graph.node for o in node.output if o]
    for option, name in (("--from", first), ("--to", last)):
        if name is not None and name not in names:
            raise UserError(f"{path} has no tensor '{name}'{nearest_match(name, names)} ({option})")
    output = last or graph.output[0].name
    inputs = [first] if first else [one.name for one in graph.input]
    needed = {output}
    nodes: list[Any] = []
    for node in reversed(graph.node):
        if needed & {*node.output} and not {*inputs} & {*node.output}:
            nodes.insert(0, node)
            needed |= {name for name in node.input if name}
            inner = [one for graph in _graphs_in(node) for one in graph.node]
            needed |= {name for one in inner for name in one.input}
    read = {name for node in nodes for name in node.input}
    if not read & {*inputs}:
        raise UserError(f"{path}: {output} does not depend on {inputs[0]}")
    weights = [one for one in graph.initializer if one.name in needed]
    made = {name for node in nodes for name in node.output}
    further = read - made - {one.name for one in weights} - {*inputs, ""}
    if further:
        raise UserError(f"{path}: between --from and --to, '{min(further)}' is needed as well")
    cut = onnx.helper.make_graph(
        nodes,
        "part",
        [_described(graph, name, model, nodes, weights) for name in inputs],
        [one for one in graph.output if one.name == output]
        or [onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)],
        weights,
    )
    part = onnx.helper.make_model(cut, opset_imports=model.opset_import)
    part.ir_version = model.ir_version
    part.metadata_props.extend(model.metadata_props)
    return part


def _described(graph: Any, name: str, model: Any, nodes: list[Any], weights: list[Any]) -> Any:
    """An input [batch, channels, time], whose channels the first layer that reads it tells."""
    import onnx

    for one in graph.input:
        if one.name == name:
            return one
    channels: int | str = "channels"
    shapes = {one.name: list(one.dims) for one in weights}
    for node in nodes:
        if name in node.input and node.op_type in ("Conv", "ConvTranspose"):
            shape = shapes.get(node.input[1], [])
            groups = {a.name: a.i for a in node.attribute}.get("group", 1)
            if len(shape) == 3:
                channels = shape[0] if node.op_type == "ConvTranspose" else shape[1] * groups
                break
    kind = onnx.TensorProto.FLOAT
    return onnx.helper.make_tensor_value_info(name, kind, ["batch", channels, "time"])
