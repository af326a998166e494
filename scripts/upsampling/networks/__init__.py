"""Any network as operations that can be recorded, replaced and reweighted.

PyTorch modules, TorchScript, ONNX graphs and models that this pipeline trained; files of others are
untrusted. `network` is the interface, `upsamplers` finds layers by execution, `kernels` reads and
writes their weights.
"""
