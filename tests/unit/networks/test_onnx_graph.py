"""Parts of ONNX graphs: names of modules, rewiring, and runs that end."""

import numpy as np
import pytest
from onnx_vocoder import NO_ONNX, vocoder_graph

onnx = pytest.importorskip("onnx", reason=NO_ONNX)
reference = pytest.importorskip("onnx.reference", reason=NO_ONNX)
pytest.importorskip("onnxruntime", reason=NO_ONNX)

from upsampling.networks import onnx_graph  # noqa: E402
from upsampling.networks.network import NetworkError  # noqa: E402


@pytest.mark.parametrize(
    ("name", "weight", "scopes", "path"),
    [
        ("/dec/ups.0/ConvTranspose", "onnx::ConvTranspose_12", None, "dec.ups.0"),
        ("/decoder/decoder.1/Conv", "folded", None, "decoder.1"),
        ("/dec/resblocks.3/convs.0/Conv", "folded", None, "dec.resblocks.3.convs.0"),
        ("node_conv", "up.weight", None, "up"),
        ("node_view", "shape", "['', 'up.0', 'view']", "up.0"),
        ("Conv_7", "folded", None, ""),
    ],
)
def test_nodes_are_named_by_their_modules(name, weight, scopes, path):
    node = onnx.helper.make_node("Conv", ["x", weight], ["y"], name=name)
    if scopes:
        node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=scopes)
    assert onnx_graph.node_key(3, node, {"up.weight", "folded"}) == (path, "Conv", 3)


def test_a_rewired_graph_gives_and_takes_what_it_is_told():
    model = vocoder_graph(onnx)
    before = model.SerializeToString()
    rewired = onnx_graph.rewired(model, ["h"], ["h"])
    assert model.SerializeToString() == before
    assert [one.name for one in rewired.graph.input] == ["x", "h/override"]
    assert [one.name for one in rewired.graph.output] == ["y", "h"]
    session = onnx_graph.open_session(rewired.SerializeToString())
    inputs = np.ones((1, 4, 5), dtype=np.float32)
    replaced = np.full((1, 1, 3), 0.5, dtype=np.float32)
    fed = {"x": inputs, "h/override": replaced}
    output, computed = onnx_graph.run_session(session, ["y", "h"], fed)
    assert output == pytest.approx(np.tanh(replaced))
    assert computed.shape == (1, 1, 24)


def test_a_run_that_does_not_end_is_stopped(monkeypatch):
    """A loop of a million turns, under a limit of half a second."""
    monkeypatch.setattr(onnx_graph, "LONGEST_RUN", 0.5)
    node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    kind = onnx.TensorProto
    body = onnx.helper.make_graph(
        [node("Identity", ["going"], ["still"]), node("Sin", ["state"], ["next"])],
        "body",
        [
            info("turn", kind.INT64, []),
            info("going", kind.BOOL, []),
            info("state", kind.FLOAT, None),
        ],
        [info("still", kind.BOOL, []), info("next", kind.FLOAT, None)],
    )
    constants = {"turns": np.array(10**7, dtype=np.int64), "true": np.array(True)}
    graph = onnx.helper.make_graph(
        [node("Loop", ["turns", "true", "x"], ["y"], body=body)],
        "loop",
        [info("x", kind.FLOAT, ["n"])],
        [info("y", kind.FLOAT, ["n"])],
        [onnx.numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    session = onnx_graph.open_session(model.SerializeToString())
    with pytest.raises(NetworkError, match=r"(?i)terminat"):
        onnx_graph.run_session(session, ["y"], {"x": np.ones(1000, dtype=np.float32)})


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_is_onnxs(mode):
    value = np.random.default_rng(0).standard_normal((1, 12, 2, 3)).astype(np.float32)
    node = onnx.helper.make_node("DepthToSpace", ["x"], ["y"], blocksize=2, mode=mode)
    kind = onnx.TensorProto.FLOAT
    shapes = [onnx.helper.make_tensor_value_info(one, kind, None) for one in "xy"]
    made = onnx.helper.make_graph([node], "one", shapes[:1], shapes[1:])
    opsets = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(made, opset_imports=opsets)
    expected = reference.ReferenceEvaluator(model).run(None, {"x": value})[0]
    found = onnx_graph.depth_to_space(value, {"blocksize": 2, "mode": mode.encode()})
    assert np.array_equal(found, expected)
