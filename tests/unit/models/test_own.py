"""Architectures in a user's file: built, tried, refused in one line, measured before and after."""

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from upsampling.config.model import OwnSettings, model_settings
from upsampling.config.sections import ProbesSettings
from upsampling.errors import UserError
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.measure_artifacts import measure_model
from upsampling.models import build, count_parameters
from upsampling.models.own import load_own_weights
from upsampling.operators.nearest import Nearest
from upsampling.probes.model_output import model_output

ROOT = Path(__file__).parents[3]
# Rounding of a constant output in double precision, relative to the constant.
ROUNDING_DB = -200.0
NET = '''
import torch
from torch import nn

from upsampling.models.base import AudioModel


class Net(AudioModel):
    """A strided encoder and a decoder of two upsamplers."""

    samplerate = 16000

    def __init__(self, upsampler, width=4):
        super().__init__()
        self.encoder = nn.Conv1d(1, width, 32, 16, padding=8)
        self.inner = upsampler(width, width, 4)
        self.outer = upsampler(width, 1, 4)
        self.settling = 64

    def forward(self, waveform):
        signal = torch.relu(self.encoder(waveform))
        return self.outer(torch.relu(self.inner(signal)))[..., : waveform.shape[-1]]

    def find_upsamplers(self):
        width = self.encoder.out_channels
        return [(self.inner, 4, width), (self.outer, 4, width)]
'''


@pytest.fixture
def net(tmp_path):
    """Settings of `Net` around nearest-neighbor interpolation; its file can be changed."""
    file = tmp_path / "net.py"
    file.write_text(NET)
    return OwnSettings(f"{file}:Net", operator="nearest", arguments={"width": 6})


def change(settings: OwnSettings, old: str, new: str) -> None:
    path = Path(settings.architecture.rpartition(":")[0])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def refusal(settings: OwnSettings) -> str:
    with pytest.raises(UserError) as caught:
        build(settings)
    message = str(caught.value)
    assert "\n" not in message
    assert f"architecture '{settings.architecture}'" in message
    return message


def test_it_is_built_with_its_arguments_and_its_operator(net):
    settings = replace(net, options={"kernel_size": 5})
    model = build(settings, 3)
    assert model.encoder.out_channels == 6
    assert type(model.inner) is type(model.outer) is Nearest
    assert model.inner.convolution.kernel_size == (5,)
    assert [layer.spacing for layer in model.upsampling_layers] == [1000.0, 4000.0]
    assert model.training
    inputs, output, rate = model_output(model, "white_noise", 0.5, 0)
    assert (len(inputs), len(output), rate) == (8000, 8000, 16000)


def test_weights_are_a_function_of_the_seed_and_counted_without_them(net):
    first, again, other = (build(net, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert count_parameters(net) == sum(tensor.numel() for tensor in first.values())


def test_an_upsampler_that_the_class_builds_needs_no_operator(net):
    change(net, "upsampler, width=4", "width=4")
    change(net, "super().__init__()", "super().__init__(); upsampler = self.make")
    change(
        net,
        "    def find_upsamplers",
        "    def make(self, *sizes):\n        return nn.ConvTranspose1d(*sizes, sizes[-1])\n\n"
        "    def find_upsamplers",
    )
    change(net, "*sizes, sizes[-1])", "*sizes[:2], 8, sizes[2], padding=2)")
    model = build(replace(net, operator=None))
    assert isinstance(model.outer, torch.nn.ConvTranspose1d)
    assert model.process(torch.zeros(1, 1, 160)).shape == (1, 1, 1, 160)


def test_a_model_with_sources_and_channels(net):
    change(net, "samplerate = 16000", 'samplerate = 16000\n    sources = ("a", "b")')
    change(net, "return self.outer", "return torch.stack(2 * [self.outer")
    change(net, "[..., : waveform.shape[-1]]", "[..., : waveform.shape[-1]]], dim=1)")
    model = build(net)
    assert model.process(torch.zeros(3, 1, 320)).shape == (3, 2, 1, 320)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("AudioModel):", "nn.Module):")], "is no subclass of upsampling.models.base.AudioModel"),
        ([("class Net", "class Ned")], "has no class Net"),
        ([("import torch\n", "import torchh\n")], "cannot be imported: ModuleNotFoundError"),
        ([("upsampler, width=4", "width=4")], "built with width, upsampler: TypeError"),
        ([("upsampler, width=4", "upsampler")], "unexpected keyword argument 'width'"),
        ([("self.encoder = nn", "self.lost; self.encoder = nn")], "upsampler: AttributeError"),
        ([("width, width, 4)", "width, width)")], "built with width, upsampler: TypeError"),
        ([("    samplerate = 16000\n", "")], "samplerate is None; set it to"),
        ([("= 16000", "= 16000.5")], "samplerate is 16000.5; set it to a whole number of Hz"),
        ([("= 16000", "= -1")], "samplerate is -1"),
        ([("self.settling = 64", "self.settling = -5")], "settling is -5"),
        ([("find_upsamplers", "upsamplers")], "find_upsamplers fails"),
        ([("return [(self.inner, 4, width)", "return [(self.inner, 4)")],
         "find_upsamplers fails or does not return a list of (module, stride, in_channels)"),
        ([("return [(self.inner, 4, width), (self.outer, 4, width)]", "return []")],
         "find_upsamplers returns no layer"),
        ([("(self.outer, 4, width)]", "(self.outer, 8, width)]")],
         "upsampling layer 1 of find_upsamplers has stride 4 and is listed with 8"),
        ([("[(self.inner, 4, width)", "[(self.inner, 4, 3)")],
         "upsampling layer 0 of find_upsamplers fails on [1, 3, 32]: RuntimeError"),
        ([("self.inner, 4, width), ", "self.encoder, 1, 1), ")], "list layers with their strides"),
        ([("torch.relu(self.inner", "torch.rellu(self.inner")], "fails on 0.25 s of silence"),
        ([("[..., : waveform.shape[-1]]", "[0]")], "expected [1, 1, 1, time]"),
        ([("[..., : waveform.shape[-1]]", "[..., :0]")], "gave [1, 1, 1, 0]"),
        ([("self.settling = 64", "self.window = torch.ones(1)"),
          ("relu(self.encoder(waveform))", "relu(self.encoder(waveform)).matmul(torch.eye(250))")],
         "in single or in double precision: RuntimeError"),
    ],
)  # fmt: skip
def test_a_faulty_architecture_is_refused_in_one_line(net, changes, message):
    for old, new in changes:
        change(net, old, new)
    assert message in refusal(net)


def test_a_model_without_parameters_is_refused(net):
    change(net, "self.encoder = nn.Conv1d(1, width, 32, 16, padding=8)", "self.width = width")
    settings = replace(net, operator="nearest", options={"kernel_size": 0})
    change(net, "upsampler(width, 1, 4)", "upsampler(width, width, 4)")
    assert "has no parameters" in refusal(settings)


def test_an_operator_that_cannot_be_built_is_named(net):
    with pytest.raises(
        UserError, match=r"operator 'nearest'.*cannot change the number of channels"
    ):
        build(replace(net, options={"kernel_size": 0}))


def test_an_unknown_operator_is_refused():
    with pytest.raises(UserError, match=r"m\.operator: unknown value 'neares'"):
        model_settings({"architecture": "net.py:Net", "operator": "neares"}, "m")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    settings = OwnSettings(f"{tmp_path}/none.py:Net")
    assert f"there is no file {tmp_path}/none.py" in refusal(settings)


def test_weights_of_a_trained_model_are_loaded(net, tmp_path):
    trained = build(net, 9)
    save_file(trained.state_dict(), tmp_path / "weights.safetensors")
    model = load_own_weights(replace(net, weights=str(tmp_path / "weights.safetensors")), 0)
    waveforms = torch.randn(1, 1, 1600)
    assert torch.equal(model.process(waveforms), trained.process(waveforms))
    assert not model.training


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda state: state | {"encoder.weight": torch.zeros(2, 1, 32)}, "size mismatch"),
        (lambda state: state | {"more.weight": torch.zeros(2)}, "Unexpected key"),
        (lambda state: {"encoder.bias": state["encoder.bias"]}, "Missing key"),
        (lambda state: state | {"encoder.bias": torch.full((6,), torch.nan)},
         "encoder.bias has values that are not finite"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused_in_one_line(net, tmp_path, damage, message):
    path = tmp_path / "weights.safetensors"
    save_file(damage(build(net, 9).state_dict()), path)
    with pytest.raises(UserError) as caught:
        load_own_weights(replace(net, weights=str(path)), 0)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all"])
def test_a_file_that_holds_no_weights_is_refused(net, tmp_path, content):
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as safetensors") as caught:
        load_own_weights(replace(net, weights=str(path)), 0)
    assert "\n" not in str(caught.value)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def values(rows: list[dict[str, str]], **conditions: str) -> list[float]:
    return [
        float(row["value"])
        for row in rows
        if all(row[key] == value for key, value in conditions.items())
    ]


def test_it_is_measured_before_and_after_by_the_program(net, tmp_path):
    """Trained weights whose phases are equal have no tone; random ones have."""
    settings = replace(net, operator="subpixel")
    trained = build(settings, 4)
    for layer in (trained.inner, trained.outer):
        for parameter in layer.convolution.parameters():
            parameter.data = parameter.data[::4].repeat_interleave(4, dim=0)
    save_file(trained.state_dict(), tmp_path / "weights.safetensors")
    probes = '{"signals": ["ones", "white_noise"], "seconds": 1.0}'
    model = (
        f'{{"architecture": "{settings.architecture}", "operator": "subpixel", '
        f'"arguments": {{"width": 6}}, "weights": "{tmp_path}/weights.safetensors"}}'
    )
    command = [sys.executable, "scripts/measure_untrained.py", "--variant", "own"]
    command += ["--model-settings", model, "--seeds", "0", "1", "--probes", probes]
    command += ["--measures", str(tmp_path / "seed{seed}.csv")]
    command += ["--arrays", str(tmp_path / "seed{seed}" / "{signal}_{stage}.npz")]
    command += ["--audio", str(tmp_path / "seed{seed}" / "{signal}_{kind}.wav")]
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    for seed in ("0", "1"):
        rows = rows_of(tmp_path / f"seed{seed}.csv")
        assert {(row["variant"], row["seed"]) for row in rows} == {("own", seed)}
        assert {row["stage"] for row in rows} == {"initialised", "trained"}
        imbalance = {"probe": "weights", "measure": "polyphase_imbalance"}
        assert min(values(rows, stage="initialised", **imbalance)) > 0.5
        assert max(values(rows, stage="trained", **imbalance)) == 0
        assert {row["frequency_hz"] for row in rows if row["measure"] == "polyphase_imbalance"} == {
            "1000.0",
            "4000.0",
            "",
        }
        tones = {"probe": "ones", "measure": "tone_level", "frequency_hz": "4000.0"}
        (before,) = values(rows, stage="initialised", **tones)
        (after,) = values(rows, stage="trained", **tones)
        assert before > -100
        assert after <= ROUNDING_DB
        for name in ("ones", "white_noise"):
            arrays = [
                np.load(tmp_path / f"seed{seed}" / f"{name}_{stage}.npz")
                for stage in ("initialised", "trained")
            ]
            assert [len(stored["output"]) for stored in arrays] == [16000, 16000]
            assert np.array_equal(arrays[0]["input"], arrays[1]["input"])
    # The trained stage does not depend on the seed, the initialised one does.
    first, second = (
        [row for row in rows_of(tmp_path / f"seed{seed}.csv") if row["probe"] == "weights"]
        for seed in (0, 1)
    )
    for stage, equal in (("trained", True), ("initialised", False)):
        assert (values(first, stage=stage) == values(second, stage=stage)) == equal


def test_one_without_weights_is_measured_at_initialisation_alone(net, tmp_path):
    measure_model(
        {"initialised": lambda: build(net, 0)},
        "own",
        0,
        ProbesSettings(signals=("silence",), seconds=1.1),
        arrays=str(tmp_path / "{signal}_{stage}.npz"),
        audio=str(tmp_path / "{signal}_{kind}.wav"),
        measures=tmp_path / "measures.csv",
    )
    rows = rows_of(tmp_path / "measures.csv")
    assert {row["stage"] for row in rows} == {"initialised"}
    assert len(values(rows, measure="shift_error_stride")) == 1
    # Nearest-neighbor interpolation has no tones with any weights and biases.
    assert values(rows, probe="silence", measure="tone_level")[:2] == [ROUNDING_DB, ROUNDING_DB]


def test_older_weight_norm_is_measured_too(net):
    """Deep copies of such layers fail, and many published vocoders have them."""
    change(
        net, "upsampler(width, 1, 4)", "nn.utils.weight_norm(nn.ConvTranspose1d(width, 1, 4, 4))"
    )
    with pytest.warns(FutureWarning, match="weight_norm"):
        model = build(net, 2)
    measurements = measure_layers(model.upsampling_layers)
    imbalance = [m["value"] for m in measurements if m["measure"] == "polyphase_imbalance"]
    sums = model.outer.weight.detach().double().numpy()[:, 0]
    lines = np.abs(np.fft.fft(sums, axis=1)) ** 2
    assert imbalance[1] == pytest.approx(np.sqrt(lines[:, 1:].sum() / lines[:, 0].sum()), rel=1e-6)
