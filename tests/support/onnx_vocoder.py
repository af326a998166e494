"""The smallest vocoder as an ONNX graph."""

import numpy as np

NO_ONNX = "onnx and onnxruntime are not installed (envs/audit.lock)"


def vocoder_graph(onnx, weight=None):
    """One transposed convolution of stride 4."""
    node = onnx.helper.make_node
    weight = np.ones((4, 1, 8), dtype=np.float32) if weight is None else weight
    kind = onnx.TensorProto.FLOAT
    made = onnx.helper.make_graph(
        [
            node("ConvTranspose", ["x", "up.weight"], ["h"], strides=[4]),
            node("Tanh", ["h"], ["y"]),
        ],
        "network",
        [onnx.helper.make_tensor_value_info("x", kind, ["batch", 4, "time"])],
        [onnx.helper.make_tensor_value_info("y", kind, ["batch", 1, "samples"])],
        [onnx.numpy_helper.from_array(weight, "up.weight")],
    )
    model = onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model
