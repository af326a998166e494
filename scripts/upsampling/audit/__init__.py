"""Audits: which layer of a network makes which line, in silence and in sound, and its repair.

A network is any callable with a float input [channels, time]: a PyTorch module, TorchScript, ONNX,
or a model that this pipeline trained. `network` says what the rest of the room needs of it.
"""
