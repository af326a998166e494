"""ONNX files as untrusted data: whatever is damaged or hostile ends with one line."""

import os
from pathlib import Path

import numpy as np
import pytest
from onnx_vocoder import NO_ONNX, vocoder_graph
from refusals import refused

from upsampling.errors import UserError
from upsampling.networks.loading import Source, open_network
from upsampling.networks.onnx_file import read_graph


@pytest.fixture
def onnx():
    pytest.importorskip("onnxruntime", reason=NO_ONNX)
    return pytest.importorskip("onnx", reason=NO_ONNX)


def test_a_part_of_a_graph_is_cut_out(onnx, tmp_path):
    node = onnx.helper.make_node
    model = vocoder_graph(onnx)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    model.graph.node.insert(0, node("Cast", ["x"], ["z"], to=onnx.TensorProto.FLOAT))
    model.graph.node[1].input[0] = "z"
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    with pytest.raises(UserError, match="--from"):
        open_network(Source(str(path)))
    network, structure, _ = open_network(Source(str(path), first="z", last="h", samplerate=8000))
    assert (network.channels, structure.total_stride) == (4, 4)
    for first, last, reason in (
        ("q", None, "no tensor 'q'"),
        ("z", "w", "no tensor 'w'"),
        ("y", "h", "does not depend"),
    ):
        with pytest.raises(UserError, match=reason):
            open_network(Source(str(path), first=first, last=last))


def test_the_channels_of_a_part_are_those_of_a_layer_that_reads_its_input(onnx, tmp_path):
    model = vocoder_graph(onnx)
    for place, (kind, source, target) in enumerate((("Abs", "x", "a"), ("Neg", "a", "b"))):
        model.graph.node.insert(place, onnx.helper.make_node(kind, [source], [target]))
    model.graph.node[2].input[0] = "b"
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    for name, channels in (("a", "channels"), ("b", 4)):
        (one,) = read_graph(path, first=name).graph.input
        dimension = one.type.tensor_type.shape.dim[1]
        assert (dimension.dim_param or dimension.dim_value) == channels


def test_what_else_a_part_needs_is_named(onnx, tmp_path):
    node = onnx.helper.make_node
    model = vocoder_graph(onnx)
    model.graph.node.extend([node("Abs", ["x"], ["a"]), node("Add", ["h", "a"], ["b"])])
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    with pytest.raises(UserError, match="'x' is needed as well"):
        open_network(Source(str(path), first="h", last="b"))


def hostile(onnx, name: str, folder: Path) -> bytes:
    model = vocoder_graph(onnx)
    tensor = model.graph.initializer[0]
    if name == "cut short":
        return model.SerializeToString()[:-40]
    if name == "text":
        return b"this is no graph\n" * 10
    if name == "no nodes":
        return onnx.ModelProto().SerializeToString()
    if name == "shape":
        tensor.dims[:] = [1 << 40, 1 << 40, 8]
    if name == "negative":
        tensor.dims[:] = [-4, -1, 8]
    if name == "type":
        tensor.data_type = 99
    if name == "operator":
        model.graph.node[1].op_type = "Exec"
    if name == "domain":
        model.graph.node[1].domain = "com.evil"
    if name == "cycle":
        model.graph.node[0].input[0] = "y"
    if name == "memory":
        shape = onnx.numpy_helper.from_array(np.array([1, 1, 1 << 40], dtype=np.int64), "shape")
        model.graph.initializer.append(shape)
        model.graph.node.insert(1, onnx.helper.make_node("Expand", ["h", "shape"], ["big"]))
        model.graph.node[2].input[0] = "big"
    if name.startswith("external"):
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        (folder.parent / "secret").write_bytes(bytes(128))
        (folder / "short").write_bytes(bytes(64))
        (folder / "link").unlink(missing_ok=True)
        (folder / "link").symlink_to(folder.parent / "secret")
        place = {
            "external above": {"location": "../secret"},
            "external absolute": {"location": "/etc/passwd"},
            "external link": {"location": "link"},
            "external missing": {"location": "missing"},
            "external nowhere": {},
            "external short": {"location": "short", "length": "128"},
            "external offset": {"location": "short", "offset": "-5", "length": "8"},
            "external words": {"location": "short", "length": "many"},
        }[name]
        for key, value in place.items():
            tensor.external_data.add(key=key, value=value)
    return model.SerializeToString()


HOSTILE = [
    *("cut short", "text", "no nodes", "shape", "negative", "type", "operator", "domain"),
    *("cycle", "memory", "external above", "external absolute", "external link"),
    *("external missing", "external nowhere", "external short", "external offset"),
    "external words",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graphs_end_with_one_line(onnx, tmp_path, capsys, name):
    folder = tmp_path / "model"
    folder.mkdir()
    path = folder / "net.onnx"
    path.write_bytes(hostile(onnx, name, folder))
    error = refused(capsys, str(path))
    if name.startswith("external") and name.split()[1] in ("above", "absolute", "link"):
        assert "outside the model's folder" in error
    if name in ("external short", "external offset"):
        assert "go beyond the end of short" in error


@pytest.mark.parametrize(("name", "shown"), [("ups.weight", "ups.weight"), ("", "a constant")])
def test_a_tensor_is_named_or_said_to_be_a_constant(onnx, tmp_path, name, shown):
    model = vocoder_graph(onnx)
    tensor = model.graph.initializer[0]
    tensor.name, tensor.dims[:] = name, [-4, -1, 8]
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=rf"net.onnx: {shown} has the shape \[-4, -1, 8\]"):
        read_graph(tmp_path / "net.onnx")


def test_external_data_begin_at_the_beginning_of_their_file_if_nothing_is_said(onnx, tmp_path):
    model = vocoder_graph(onnx)
    tensor = model.graph.initializer[0]
    (tmp_path / "whole").write_bytes(tensor.raw_data)
    length = len(tensor.raw_data)
    expected = onnx.numpy_helper.to_array(tensor)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "whole"), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    found = onnx.numpy_helper.to_array(read_graph(tmp_path / "net.onnx").graph.initializer[0])
    np.testing.assert_array_equal(found, expected)


def test_external_data_without_a_length_may_end_with_their_file(onnx, tmp_path):
    model = vocoder_graph(onnx)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    (tmp_path / "whole").write_bytes(bytes(128))
    for key, value in (("location", "whole"), ("offset", "128")):
        tensor.external_data.add(key=key, value=value)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    assert read_graph(tmp_path / "net.onnx").graph.initializer[0].raw_data == b""


def test_a_file_above_two_gibibytes_is_not_read(onnx, tmp_path):
    path = tmp_path / "net.onnx"
    path.touch()
    os.truncate(path, 2**31)
    with pytest.raises(UserError, match=r"net.onnx has more than 2 GiB"):
        read_graph(path)


def test_external_data_of_the_models_own_folder_are_read(onnx, tmp_path):
    model = vocoder_graph(onnx, np.arange(32, dtype=np.float32).reshape(4, 1, 8))
    path = tmp_path / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    loaded = read_graph(path)
    found = onnx.numpy_helper.to_array(loaded.graph.initializer[0])
    assert found.ravel().tolist() == list(range(32))


def test_tensors_without_numbers_are_read(onnx, tmp_path):
    """Exporters write such ones, as the regions of a Resize."""
    model = vocoder_graph(onnx)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(0, np.float32), "roi"))
    onnx.save(model, tmp_path / "net.onnx")
    assert read_graph(tmp_path / "net.onnx").graph.initializer[-1].name == "roi"


def test_without_onnx_one_line_says_what_to_install(tmp_path, capsys, monkeypatch):
    import sys

    path = tmp_path / "net.onnx"
    path.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "is not installed (pip install onnx onnxruntime" in refused(capsys, str(path))
