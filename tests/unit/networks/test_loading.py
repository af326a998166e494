"""From names to networks: facts told, found out, assumed, or wrong."""

import json
import re
from pathlib import Path

import pytest
import torch
from audited_networks import hifi_gan, seeded
from checkout import ROOT
from factory_files import write_factories
from onnx_vocoder import NO_ONNX, vocoder_graph
from refusals import refused

from upsampling.config.model import DemucsLikeSettings, MelganSettings, model_settings
from upsampling.errors import UserError
from upsampling.models import build
from upsampling.networks.loading import Source, open_network
from upsampling.training import checkpoint_file

README_NET = re.findall(r"(?s)```python\n(.*?)```", (ROOT / "README.md").read_text())[1]


@pytest.fixture
def folder(tmp_path):
    return write_factories(tmp_path)


@pytest.fixture
def onnx():
    pytest.importorskip("onnxruntime", reason=NO_ONNX)
    return pytest.importorskip("onnx", reason=NO_ONNX)


def test_a_factory_tells_channels_and_rate(folder):
    network, structure, notes = open_network(Source(f"{folder}/nets.py:Vocoder"))
    assert (network.channels, network.kind, network.samplerate) == (5, "latent", 16000)
    assert [layer.stride for layer in structure.layers] == [4]
    assert notes == []


def test_what_the_user_says_counts(folder):
    source = Source(f"{folder}/nets.py:Vocoder", kind="features", samplerate=8000, channels=5)
    network, _, _ = open_network(source)
    assert (network.kind, network.samplerate) == ("features", 8000)
    with pytest.raises(UserError, match=r"\[1, 3, time\]"):
        open_network(Source(f"{folder}/nets.py:Vocoder", channels=3))


def test_samples_without_channels_are_audio(folder):
    network, structure, notes = open_network(Source(f"{folder}/nets.py:Rows"))
    assert (network.channels, network.rank, network.kind) == (1, 2, "audio")
    assert "44100" in notes[0]
    assert structure.length > 10000


def test_two_channels_are_stereo_audio(folder):
    network, _, _ = open_network(Source(f"{folder}/nets.py:Stereo"))
    assert (network.channels, network.kind) == (2, "audio")


def test_single_precision_is_a_last_resort(folder):
    network, structure, _ = open_network(Source(f"{folder}/nets.py:Single", samplerate=8000))
    assert network.epsilon == torch.finfo(torch.float32).eps
    assert structure.total_stride == 4


@pytest.mark.parametrize("kind", ["audio", "features"])
def test_models_of_this_pipeline_are_folders(tmp_path, kind):
    audio = {"architecture": "demucs_like", "channels": 2, "depth": 2, "bottleneck": "none"}
    features = {"architecture": "melgan", "channels": 2, "mels": 10}
    values = audio if kind == "audio" else features
    settings = DemucsLikeSettings(**audio) if kind == "audio" else MelganSettings(**features)
    spec = {"model": values, "seed": 0}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    checkpoint_file.save(tmp_path / "best.safetensors", build(settings, 0).state_dict(), spec)
    network, structure, notes = open_network(Source(str(tmp_path)))
    assert network.kind == kind
    assert network.channels == (2 if kind == "audio" else 10)
    assert network.samplerate == settings.samplerate
    assert [layer.stride for layer in structure.layers] == (
        [4, 4] if kind == "audio" else [8, 8, 2, 2]
    )
    assert notes == []


def test_a_users_architecture_that_was_trained_here_is_a_folder(tmp_path):
    (tmp_path / "net.py").write_text(README_NET)
    values = {
        "architecture": f"{tmp_path}/net.py:Net",
        "operator": "subpixel",
        "arguments": {"width": 3},
    }
    settings = model_settings(values, "model")
    spec = {"model": values, "seed": 0}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    checkpoint_file.save(tmp_path / "best.safetensors", build(settings, 0).state_dict(), spec)
    network, structure, notes = open_network(Source(str(tmp_path)))
    assert (network.kind, network.channels, network.samplerate) == ("audio", 1, 16000)
    assert [layer.stride for layer in structure.layers] == [4, 4]
    assert notes == []


@pytest.mark.parametrize(
    ("kind", "channels"), [(None, 2), ("latent", 2), ("features", 2), ("audio", 1)]
)
def test_audio_is_mono_where_a_network_takes_anything(tmp_path, kind, channels):
    """Others have the channels of the first weights."""
    (tmp_path / "nets.py").write_text(
        "import torch\n\n\n"
        "class Any(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.unused = torch.nn.Conv1d(2, 2, 1)\n\n"
        "    def forward(self, signal):\n"
        "        return signal.repeat_interleave(4, dim=-1)\n"
    )
    network, _, _ = open_network(Source(f"{tmp_path}/nets.py:Any", kind, 8000))
    assert network.channels == channels


def test_torchscript_is_found_out_about(tmp_path):
    path = tmp_path / "net.pt"
    torch.jit.save(torch.jit.trace(seeded(lambda: hifi_gan((4, 4))), torch.zeros(1, 6, 20)), path)
    network, structure, _ = open_network(Source(str(path), samplerate=8000))
    assert (network.channels, structure.total_stride) == (6, 16)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing.onnx"], "there is no file"),
        (["missing.pt"], "there is no file"),
        (["missing.py:f"], "there is no file"),
        (["missing"], "there is no file or folder"),
        (["nets.py"], "is no network"),
        (["nets.txt:Vocoder"], "there is no file or folder"),
        (["nets.py:Vocode"], "did you mean 'Vocoder'?"),
        (["nets.py:not_a_module"], "returned int"),
        (["nets.py:failing"], "no weights"),
        (["nets.py:Vocoder", "--channels", "7"], "[1, 7, time]"),
        (["nets.py:Vocoder", "--from", "x"], "--from and --to"),
        (["nets.py:Vocoder", "--weights", "none.safetensors"], "there is no file"),
        (["nets.py:Vocoder", "--weights", "nets.py"], "from .safetensors files alone"),
        (["nets.py:Vocoder", "--features", "nets.py"], "--features"),
        (["nets.py:Vocoder", "--repair", "out.onnx"], "is written as .safetensors"),
        (["."], "no model of this pipeline: it has no "),
    ],
)
def test_mistakes_end_with_one_line(folder, capsys, monkeypatch, arguments, reason):
    monkeypatch.chdir(folder)
    assert reason in refused(capsys, *arguments)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"model": {}, "seed": 0}', '{"seed": 0}'])
def test_a_damaged_model_folder(tmp_path, capsys, content):
    (tmp_path / "spec.json").write_text(content)
    (tmp_path / "best.safetensors").write_bytes(b"")
    refused(capsys, str(tmp_path))


def test_a_graph_tells_its_rate_and_a_voice_its_settings(onnx, tmp_path):
    path = tmp_path / "net.onnx"
    model = vocoder_graph(onnx)
    onnx.save(model, path)
    assert "44100" in open_network(Source(str(path)))[2][0]
    Path(f"{path}.json").write_text('{"audio": {"sample_rate": 22050}}')
    assert open_network(Source(str(path)))[0].samplerate == 22050
    onnx.helper.set_model_props(model, {"version": "2", "sample_rate": "16 kHz"})
    onnx.save(model, path)
    assert open_network(Source(str(path)))[0].samplerate == 22050
    onnx.helper.set_model_props(model, {"sample_rate": "16000"})
    onnx.save(model, path)
    network, _, notes = open_network(Source(str(path)))
    assert (network.samplerate, notes) == (16000, [])
