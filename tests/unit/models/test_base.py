"""The interface of models: combs of layers, processing, trimming, double precision."""

import warnings

import pytest
import torch
from torch import nn

from upsampling.models.base import AudioModel, center_trim, device_of, in_double_precision


class Doubling(AudioModel):
    """Two upsampling layers of strides 2 and 5 after a convolution of stride 10."""

    samplerate = 1000

    def __init__(self):
        super().__init__()
        self.down = nn.Conv1d(1, 3, 10, 10)
        self.inner = nn.ConvTranspose1d(3, 2, 2, 2)
        self.outer = nn.ConvTranspose1d(2, 1, 5, 5)
        self.dropout = nn.Dropout(0.5)

    def forward(self, waveform):
        return self.outer(self.inner(self.dropout(self.down(waveform))))

    def find_upsamplers(self):
        return [(self.inner, 2, 3), (self.outer, 5, 2)]


def test_layers_are_listed_from_the_deepest_with_the_spacing_of_their_combs():
    model = Doubling()
    layers = model.upsampling_layers
    assert [layer.module for layer in layers] == [model.inner, model.outer]
    assert [(layer.stride, layer.in_channels) for layer in layers] == [(2, 3), (5, 2)]
    # A layer's output repeats with its stride and those of all layers after it.
    assert [layer.spacing for layer in layers] == [1000 / 10, 1000 / 5]
    assert model.total_stride == 10
    assert model.input_length(7) == 7


def test_waveforms_are_processed_in_evaluation_mode_as_one_source():
    model = Doubling().train()
    waveforms = torch.randn(4, 1, 100, dtype=torch.float64)
    outputs = model.process(waveforms)
    assert outputs.shape == (4, 1, 1, 100)
    assert outputs.dtype == torch.float32
    assert not model.training
    assert not outputs.requires_grad
    assert torch.equal(outputs[:, 0], model(waveforms.float()).detach())
    assert model.double().process(waveforms).dtype == torch.float64


def test_what_a_model_keeps_can_be_trained_on():
    class Keeping(Doubling):
        kept = None

        def forward(self, waveform):
            self.kept = self.down(waveform) if self.kept is None else self.kept
            return self.outer(self.inner(self.kept))

    model = Keeping()
    model.process(torch.randn(1, 1, 20))
    model(torch.randn(1, 1, 20)).sum().backward()
    assert model.outer.weight.grad.abs().sum() > 0


def test_separated_sources_stay_apart():
    class Separating(Doubling):
        sources = ("low", "high")

        def forward(self, waveform):
            output = super().forward(waveform)
            return torch.stack([output, -output], dim=1)

    outputs = Separating().process(torch.randn(2, 1, 50))
    assert outputs.shape == (2, 2, 1, 50)
    assert torch.equal(outputs[:, 0], -outputs[:, 1])


def test_trimming_is_central():
    assert center_trim(torch.arange(10), 4).tolist() == [3, 4, 5, 6]
    assert center_trim(torch.arange(10), 7).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert center_trim(torch.arange(3), 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("training", [True, False])
def test_a_module_is_in_double_precision_inside_the_block_only(training):
    module = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2)).train(training)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with in_double_precision(module):
        assert not module.training
        output = module(torch.randn(2, 1, 9, dtype=torch.float64))
        assert output.dtype == torch.float64
    with pytest.raises(RuntimeError, match="double"), in_double_precision(module):
        module(torch.randn(2, 1, 9))
    assert module.training == training
    for name, tensor in module.state_dict().items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name])


def test_double_precision_keeps_hooks_of_gradients_and_shared_weights():
    """DistributedDataParallel exchanges gradients in such hooks."""
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.LSTM(2, 3))
    module[1].weight = module[0].weight
    calls = []
    accumulators = [p.expand_as(p).grad_fn.next_functions[0][0] for p in module.parameters()]
    for accumulator in accumulators:
        accumulator.register_hook(lambda *_: calls.append(1))
    signal = torch.randn(4, 2)
    single, _ = module(signal)
    with in_double_precision(module):
        assert module[1].weight is module[0].weight
        double, _ = module(signal.double())
    torch.testing.assert_close(double.float(), single)
    module(signal)[0].sum().backward()
    assert len(calls) == len(accumulators) == 7


def test_the_device_of_a_module_is_that_of_its_tensors():
    assert device_of(nn.ReLU()) == torch.device("cpu")
    assert device_of(nn.Sequential(nn.ReLU(), nn.Linear(1, 1, device="meta"))).type == "meta"
    assert device_of(nn.BatchNorm1d(1, affine=False, device="meta")).type == "meta"


def test_weight_norm_of_both_kinds_is_evaluated_in_double_precision():
    signal = torch.randn(1, 2, 5, dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        old = nn.utils.weight_norm(nn.ConvTranspose1d(2, 3, 8, 4))
    new = nn.utils.parametrizations.weight_norm(nn.ConvTranspose1d(2, 3, 8, 4))
    for module in (old, new):
        single = module(signal.float())
        with in_double_precision(module):
            double = module(signal)
        torch.testing.assert_close(double.float(), single)
        assert not torch.equal(double, single.double())
        assert torch.equal(module(signal.float()), single)
