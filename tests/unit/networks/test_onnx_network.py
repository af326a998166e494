"""ONNX graphs: any layout of the input, interventions, weights, and repaired files."""

from pathlib import Path

import numpy as np
import pytest
from noted import assert_noted
from noted_networks import described_network

NO_ONNX = "onnx and onnxruntime are not installed (envs/audit.lock)"
onnx = pytest.importorskip("onnx", reason=NO_ONNX)
reference = pytest.importorskip("onnx.reference", reason=NO_ONNX)
pytest.importorskip("onnxruntime", reason=NO_ONNX)

from upsampling.audit.combs import total_level  # noqa: E402
from upsampling.audit.probing import Probe  # noqa: E402
from upsampling.audit.repair import repair  # noqa: E402
from upsampling.audit.steady import settle  # noqa: E402
from upsampling.networks.kernels import find_kernel  # noqa: E402
from upsampling.networks.network import NetworkError  # noqa: E402
from upsampling.networks.onnx_network import OnnxNetwork  # noqa: E402
from upsampling.networks.upsamplers import find_structure  # noqa: E402

NOTED = Path(__file__).with_name("noted")
SINGLE = 1e-5
FLOAT = onnx.TensorProto.FLOAT


def graph(nodes, weights, shape=("batch", 4, "time"), outputs=("y",), opset=17, name="x"):
    """A model of `nodes` with one input `name` and the named weights."""
    made = onnx.helper.make_graph(
        nodes,
        "network",
        [onnx.helper.make_tensor_value_info(name, FLOAT, shape)],
        [onnx.helper.make_tensor_value_info(one, FLOAT, list("bct")) for one in outputs],
        [onnx.numpy_helper.from_array(value, key) for key, value in weights.items()],
    )
    opsets = [onnx.helper.make_opsetid("", opset)]
    model = onnx.helper.make_model(made, opset_imports=opsets)
    model.ir_version = 8
    return model


def rng():
    return np.random.default_rng(0)


def normal(*shape):
    return rng().standard_normal(shape).astype(np.float32) / 4


def transposed():
    """A convolution, a transposed one with the last word, in two groups and with padding."""
    node = onnx.helper.make_node
    return graph(
        [
            node("Conv", ["x", "pre.weight", "pre.bias"], ["h"], name="/pre/Conv"),
            node(
                "ConvTranspose",
                ["h", "ups.0.weight", "ups.0.bias"],
                ["y"],
                strides=[4],
                pads=[2, 2],
                group=2,
            ),
        ],
        {
            "pre.weight": normal(6, 4, 3),
            "pre.bias": normal(6),
            "ups.0.weight": normal(6, 1, 8),
            "ups.0.bias": normal(2),
        },
    )


def time_major():
    """Frames in rows [batch, time, 4], a matrix to 5 samples each with a bias, reshaped."""
    node = onnx.helper.make_node
    return graph(
        [
            node("MatMul", ["x", "head.weight"], ["m"]),
            node("Add", ["m", "head.bias"], ["a"]),
            node("Reshape", ["a", "shape"], ["y"]),
        ],
        {
            "head.weight": normal(4, 5),
            "head.bias": normal(5),
            "shape": np.array([1, 1, -1], dtype=np.int64),
        },
        shape=(1, "time", 4),
    )


def rows(transposed: int = 1):
    """Frames as the rows of a matrix product with a bias, as exporters write linear layers."""
    node = onnx.helper.make_node
    weight = normal(5, 4)
    return graph(
        [
            node("Reshape", ["x", "rows"], ["r"]),
            node("Gemm", ["r", "head.weight", "head.bias"], ["g"], transB=transposed),
            node("Reshape", ["g", "shape"], ["y"]),
        ],
        {
            "head.weight": weight if transposed else weight.T.copy(),
            "head.bias": normal(5),
            "rows": np.array([-1, 4], dtype=np.int64),
            "shape": np.array([1, 1, -1], dtype=np.int64),
        },
        shape=(1, "time", 4),
    )


def shuffled():
    """Channels to depth, as image networks do it, for audio of one row."""
    node = onnx.helper.make_node
    return graph(
        [
            node("Conv", ["x", "mix.weight", "mix.bias"], ["h"], pads=[1, 1]),
            node("Reshape", ["h", "split"], ["s"]),
            node("Transpose", ["s"], ["t"], perm=[0, 1, 3, 2]),
            node("Reshape", ["t", "join"], ["y"]),
        ],
        {
            "mix.weight": normal(6, 4, 3),
            "mix.bias": normal(6),
            "split": np.array([1, 2, 3, -1], dtype=np.int64),
            "join": np.array([1, 2, -1], dtype=np.int64),
        },
    )


BUILDERS = {
    "transposed": transposed,
    "time_major": time_major,
    "rows": rows,
    "columns": lambda: rows(transposed=0),
    "shuffled": shuffled,
}
STRIDES = {"transposed": 4, "time_major": 5, "rows": 5, "columns": 5, "shuffled": 3}


@pytest.fixture(params=BUILDERS)
def audited(request):
    network = OnnxNetwork(BUILDERS[request.param](), request.param, "latent", 24000)
    return network, find_structure(network)


def test_layers_are_found_in_any_layout(audited):
    network, structure = audited
    assert network.channels == 4
    assert [layer.stride for layer in structure.layers] == [STRIDES[network.name]]
    assert structure.total_stride == STRIDES[network.name]
    name = "ups.0" if network.name == "transposed" else "shuffle"
    assert structure.layers[0].name == name


def test_kernels_do_what_the_graphs_do(audited):
    """The steady response to a constant is the sum of each phase's weights, and its bias."""
    network, structure = audited
    kernel = find_kernel(structure, structure.layers[0])
    values = rng().standard_normal(4)
    period = settle(structure, values).period
    inputs = np.repeat(values[:, None], 64, axis=1)
    _, kept = network.run(inputs, keep=[kernel.source.key])
    activation = kept[kernel.source.key]
    in_rows = network.name in ("time_major", "rows", "columns")
    middle = activation.reshape(-1, 4)[32] if in_rows else activation[0, :, 32]
    expected = np.einsum("i,ioj->oj", middle, kernel.phase_sums()) + kernel.bias
    shift = structure.layers[0].offset
    assert period == pytest.approx(np.roll(expected, -shift, axis=-1), abs=SINGLE)


def test_a_flat_layer_is_the_mean_of_its_periods_downstream(audited):
    network, structure = audited
    layer = structure.layers[0]
    inputs = rng().standard_normal((4, 40))
    plain, _ = network.run(inputs)
    flat, _ = network.run(inputs, [layer.flat])
    assert flat == pytest.approx(layer.flat(plain), abs=SINGLE)


def test_repaired_graphs_are_silent_and_stay_so_on_disk(audited, tmp_path):
    network, structure = audited
    before = total_level(settle(structure, np.zeros(4)).period)
    assert before > -60
    if network.name == "time_major":
        network_input = np.zeros((4, 64))
        changes = repair(structure, [Probe("silence", network_input)])
        # Silence meets the matrix as zeros: no weight can take away a bias that differs.
        assert total_level(settle(structure, np.zeros(4)).period) == pytest.approx(before)
        assert changes[0].reason == "another operation adds biases that differ between phases"
        return
    repair(structure, [Probe("silence", np.zeros((4, 64)))])
    path = tmp_path / "repaired.onnx"
    network.save(str(path))
    onnx.checker.check_model(onnx.load(path))
    again = OnnxNetwork(onnx.load(path), "again", "latent", 24000)
    found = settle(find_structure(again), np.zeros(4))
    assert total_level(found.period) < before - 100
    names = {one.name for one in onnx.load(path).graph.initializer}
    assert len(names) == len(network.model.graph.initializer)


def test_a_run_after_a_repair_has_the_new_weights():
    network = OnnxNetwork(transposed(), "transposed", "latent", 24000)
    structure = find_structure(network)
    inputs = normal(4, structure.length)
    before, _ = network.run(inputs)
    (layer,) = structure.layers
    weights = network.weights(layer.operation)
    network.assign(layer.operation, 2 * weights.weight, 2 * weights.bias)
    after, _ = network.run(inputs)
    np.testing.assert_allclose(after, 2 * before, rtol=SINGLE, atol=SINGLE)


@pytest.mark.parametrize(("dilation", "known"), [(1, True), (2, False)])
def test_dilated_taps_are_no_kernel(dilation, known):
    model = transposed()
    model.graph.node[1].attribute.append(onnx.helper.make_attribute("dilations", [dilation]))
    network = OnnxNetwork(model, "dilated", "latent", 24000)
    (layer,) = find_structure(network).layers
    assert (network.weights(layer.operation) is not None) == known


def test_samples_without_a_channel_are_audio():
    node = onnx.helper.make_node
    nodes = [
        node("Unsqueeze", ["x", "one"], ["u"]),
        node("ConvTranspose", ["u", "a"], ["y"], strides=[4]),
    ]
    weights = {"one": np.array([1], dtype=np.int64), "a": normal(1, 1, 8)}
    network = OnnxNetwork(graph(nodes, weights, ("batch", "time")), "flat", "audio", 24000)
    assert network.channels == 1
    assert find_structure(network).total_stride == 4


def test_two_interventions_at_once():
    node = onnx.helper.make_node
    weights = {"a": normal(4, 4, 8), "b": normal(4, 1, 6)}
    nodes = [
        node("ConvTranspose", ["x", "a"], ["h"], strides=[4]),
        node("ConvTranspose", ["h", "b"], ["y"], strides=[3]),
    ]
    network = OnnxNetwork(graph(nodes, weights), "two", "latent", 24000)
    structure = find_structure(network)
    inputs = np.repeat(rng().standard_normal((4, 1)), 64, axis=1)
    output, _ = network.run(inputs, [layer.flat for layer in structure.layers])
    middle = output[0, 0, 300:500]
    assert np.ptp(middle) < SINGLE


def test_integers_and_several_inputs_are_refused_with_what_to_do():
    model = transposed()
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    with pytest.raises(NetworkError):
        OnnxNetwork(model, "ids", "latent", 24000)
    model = transposed()
    extra = onnx.helper.make_tensor_value_info("speaker", onnx.TensorProto.INT64, [1])
    model.graph.input.append(extra)
    with pytest.raises(NetworkError, match="--from"):
        OnnxNetwork(model, "two", "latent", 24000)


def test_a_fixed_length_is_refused():
    model = graph(transposed().graph.node, {}, shape=(1, 4, 100))
    model.graph.initializer.extend(transposed().graph.initializer)
    with pytest.raises(NetworkError, match="not variable"):
        OnnxNetwork(model, "fixed", "latent", 24000)


def test_whole_graphs_are_those_that_were_noted(audited):
    network, structure = audited
    assert_noted(NOTED / f"onnx {network.name}.txt", described_network(structure))
