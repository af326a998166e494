"""PyTorch modules: runs, interventions, weights through weight norm, precision, files."""

import numpy as np
import pytest
import torch
from audited_networks import hifi_gan, seeded, under_audit
from safetensors.torch import load_file
from torch import nn

from upsampling.networks.kernels import assign, find_kernel
from upsampling.networks.network import NetworkError
from upsampling.networks.torch_network import TorchNetwork

SINGLE = 1e-6


def test_a_run_is_the_modules_own_in_double_precision():
    module = seeded(lambda: hifi_gan((4, 5)))
    network, _ = under_audit(module, 6)
    inputs = np.random.default_rng(0).standard_normal((6, 40))
    output, kept = network.run(inputs)
    with torch.no_grad():
        expected = module.double()(torch.from_numpy(inputs)[None]).numpy()
    assert np.array_equal(output, expected)
    assert output.dtype == np.float64
    assert kept == {}


def test_what_a_layer_reads_is_kept():
    module = seeded(lambda: hifi_gan((4, 5)))
    network, structure = under_audit(module, 6)
    inputs = np.random.default_rng(0).standard_normal((6, 40))
    key = structure.layers[0].operation.key
    _, kept = network.run(inputs, keep=[key])
    with torch.no_grad():
        expected = module[:2](torch.from_numpy(inputs)[None]).numpy()
    assert np.array_equal(kept[key], expected)


def test_noise_of_the_networks_own_is_the_same_in_every_run():
    class Noisy(nn.Module):
        def forward(self, signal):
            return signal + torch.randn(signal.shape)

    network = TorchNetwork(Noisy(), "noisy", 44100)
    network.set_precision(torch.float64)
    state = torch.get_rng_state()
    first, second = (network.run(np.zeros((1, 50)))[0] for _ in range(2))
    assert np.array_equal(first, second)
    assert first.std() > 0.5
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (lambda x: None, "returns no tensor"),
        (lambda x: torch.fft.fft(x), "complex numbers"),
        (lambda x: torch.zeros(1, 1, 5), "does not depend on its input"),
        (lambda x: x @ torch.zeros(3), "size mismatch"),
    ],
)
def test_outputs_that_cannot_be_audited(output, reason):
    class Odd(nn.Module):
        def forward(self, signal):
            return output(signal)

    network = TorchNetwork(Odd(), "odd", 44100)
    network.set_precision(torch.float64)
    with pytest.raises(NetworkError, match=reason):
        network.trace(np.zeros((1, 40)))


def test_the_first_tensor_of_a_structure_is_the_output():
    class Nested(nn.Module):
        def forward(self, signal):
            return {"audio": [(2 * signal,), signal]}

    network = TorchNetwork(Nested(), "nested", 44100)
    assert np.array_equal(network.run(np.ones((1, 4)))[0], np.full((1, 1, 4), 2.0))


def test_files_have_the_precision_that_the_weights_came_with(tmp_path):
    module = seeded(lambda: hifi_gan((4,)))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network, _ = under_audit(module, 6)
    network.save(str(tmp_path / "w.safetensors"))
    stored = load_file(tmp_path / "w.safetensors")
    assert stored.keys() == before.keys()
    assert all(torch.equal(stored[name], before[name]) for name in before)
    assert next(module.parameters()).dtype == torch.float64


def test_weights_that_are_computed_in_other_ways_are_refused():
    from torch.nn.utils import parametrize

    class Doubled(nn.Module):
        def forward(self, weight):
            return 2 * weight

    layer = seeded(lambda: nn.ConvTranspose1d(4, 3, 8, 4))
    parametrize.register_parametrization(layer, "weight", Doubled())
    network, structure = under_audit(nn.Sequential(layer), 4)
    kernel = find_kernel(structure, structure.layers[0])
    with pytest.raises(NetworkError, match="cannot be repaired"):
        assign(network, kernel, kernel.taps, kernel.bias)


def test_a_layer_without_a_bias_is_named():
    module = nn.Sequential(seeded(lambda: nn.ConvTranspose1d(4, 3, 8, 4, bias=False)))
    network, structure = under_audit(module, 4)
    kernel = find_kernel(structure, structure.layers[0])
    with pytest.raises(NetworkError, match=r"^0 has no bias to repair$"):
        assign(network, kernel, kernel.taps, kernel.bias + 1)


def test_kernels_through_weight_norm_can_be_assigned():
    from torch.nn.utils import parametrizations, weight_norm

    for wrap in (weight_norm, parametrizations.weight_norm):
        module = nn.Sequential(wrap(seeded(lambda: nn.ConvTranspose1d(4, 3, 8, 4))))
        network, structure = under_audit(module, 4)
        layer = structure.layers[0]
        kernel = find_kernel(structure, layer)
        taps = kernel.taps[..., ::-1].copy()
        assign(network, kernel, taps, kernel.bias)
        # Tensors of the trace, and of a new run.
        for one in (structure, under_audit(module, 4)[1]):
            found = find_kernel(one, one.layers[0])
            assert found.taps == pytest.approx(taps, abs=SINGLE)


class TwoWays(nn.Module):
    """Equal results, by other operators from 100 frames on."""

    def forward(self, signal):
        if signal.shape[-1] < 100:
            return signal.repeat_interleave(4, dim=-1)
        return nn.functional.interpolate(signal, scale_factor=4.0)


def test_interventions_that_an_input_length_would_skip_are_an_error():
    network, structure = under_audit(TwoWays(), 2)
    flat = structure.layers[0].flat
    network.run(np.ones((2, 60)), [flat])
    with pytest.raises(NetworkError, match="repeat_interleave"):
        network.run(np.ones((2, 120)), [flat])
