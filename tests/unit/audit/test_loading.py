"""From names and files to networks; whatever is damaged, hostile or wrong ends with one line."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from audited_networks import hifi_gan, seeded
from safetensors.torch import save_file
from torch import nn

from upsampling.audit.command import main
from upsampling.audit.loading import Source, open_network
from upsampling.audit.onnx_file import read_graph
from upsampling.audit.torch_file import LARGEST_GROWTH, check_torchscript, load_callable
from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.errors import UserError
from upsampling.models import build

NO_ONNX = "onnx and onnxruntime are not installed (envs/audit.lock)"

FACTORIES = '''
import torch
from torch import nn
from neighbour import STRIDE

class Vocoder(nn.Module):
    sample_rate = 16000
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv1d(5, 4, 3, padding=1)
        self.up = nn.ConvTranspose1d(4, 1, 8, STRIDE, padding=2)
    def forward(self, x):
        return self.up(self.first(x))

class Rows(nn.Module):
    """Samples in rows, without channels."""
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose1d(1, 1, 8, 4, padding=2)
    def forward(self, x):
        batch, time = x.shape
        return self.up(x[:, None])[:, 0]

class Single(nn.Module):
    """Computes in single precision alone."""
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose1d(5, 1, 8, 4, padding=2)
    def forward(self, x):
        assert x.dtype == torch.float32, "single precision only"
        return {"audio": (self.up(x),)}

def not_a_module():
    return 3

def failing():
    raise RuntimeError("no weights\\nfor you")
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nets.py").write_text(FACTORIES)
    (tmp_path / "neighbour.py").write_text("STRIDE = 4\n")
    return tmp_path


def refused(capsys, *arguments: str) -> str:
    """The one line that the command prints before it ends with status 2."""
    assert main(["network", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert len(captured.err) < 600
    return captured.err


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


def test_single_precision_is_a_last_resort(folder):
    network, structure, _ = open_network(Source(f"{folder}/nets.py:Single", samplerate=8000))
    assert network.epsilon == torch.finfo(torch.float32).eps
    assert structure.total_stride == 4


def test_weights_come_from_safetensors(folder):
    module = seeded(lambda: nn.Sequential(nn.Conv1d(5, 4, 3), nn.ConvTranspose1d(4, 1, 8, 4)), 3)
    tensors = {
        "first.weight": module[0].weight,
        "first.bias": module[0].bias,
        "up.weight": module[1].weight,
        "up.bias": module[1].bias,
    }
    save_file({name: one.detach() for name, one in tensors.items()}, folder / "w.safetensors")
    source = Source(f"{folder}/nets.py:Vocoder", weights=f"{folder}/w.safetensors")
    network, _, _ = open_network(source)
    assert torch.equal(network.module.up.weight, module[1].weight.double())


@pytest.mark.parametrize("kind", ["audio", "features"])
def test_models_of_this_pipeline_are_folders(tmp_path, kind):
    audio = {"architecture": "demucs_like", "channels": 2, "depth": 2, "bottleneck": "none"}
    features = {"architecture": "melgan", "channels": 2, "mels": 10}
    values = audio if kind == "audio" else features
    settings = DemucsLikeSettings(**audio) if kind == "audio" else MelganSettings(**features)
    (tmp_path / "spec.json").write_text(json.dumps({"model": values, "seed": 0}))
    save_file(build(settings, 0).state_dict(), tmp_path / "best.safetensors")
    network, structure, notes = open_network(Source(str(tmp_path)))
    assert network.kind == kind
    assert network.channels == (2 if kind == "audio" else 10)
    assert network.samplerate == settings.samplerate
    assert [layer.stride for layer in structure.layers] == (
        [4, 4] if kind == "audio" else [8, 8, 2, 2]
    )
    assert notes == []


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
        (["nets.py:Vocode"], "did you mean 'Vocoder'?"),
        (["nets.py:not_a_module"], "returned int"),
        (["nets.py:failing"], "no weights"),
        (["nets.py:Vocoder", "--channels", "7"], "[1, 7, time]"),
        (["nets.py:Vocoder", "--from", "x"], "--from and --to"),
        (["nets.py:Vocoder", "--weights", "none.safetensors"], "there is no file"),
        (["nets.py:Vocoder", "--weights", "nets.py"], "from .safetensors files alone"),
        (["nets.py:Vocoder", "--features", "nets.py"], "--features"),
        (["nets.py:Vocoder", "--repair", "out.onnx"], "is written as .safetensors"),
        (["."], "no spec.json"),
    ],
)
def test_mistakes_end_with_one_line(folder, capsys, monkeypatch, arguments, reason):
    monkeypatch.chdir(folder)
    assert reason in refused(capsys, *arguments)


def test_a_broken_python_file_is_told(folder, capsys):
    (folder / "broken.py").write_text("def f(:\n")
    assert "cannot be imported" in refused(capsys, f"{folder}/broken.py:f")


@pytest.mark.parametrize("change", ["missing", "further", "shape", "truncated", "text"])
def test_weights_that_do_not_fit(folder, capsys, change):
    shapes = {
        "first.weight": (4, 5, 3),
        "first.bias": (4,),
        "up.weight": (4, 1, 8),
        "up.bias": (1,),
    }
    if change == "missing":
        del shapes["up.bias"]
    if change == "further":
        shapes["down.bias"] = (1,)
    if change == "shape":
        shapes["up.weight"] = (4, 1, 9)
    path = folder / "w.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, path)
    if change == "truncated":
        path.write_bytes(path.read_bytes()[:-8])
    if change == "text":
        path.write_text("these are no weights at all")
    expected = {
        "missing": "lacks up.bias",
        "further": "down.bias",
        "shape": "up.weight is [4, 1, 9], the network's [4, 1, 8]",
        "truncated": "not a complete file",
        "text": "not a complete file",
    }
    error = refused(capsys, f"{folder}/nets.py:Vocoder", "--weights", str(path))
    assert expected[change] in error


class Bomb:
    """A pickle that would leave a file behind if anybody loaded it."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("form", ["pickle", "checkpoint", "legacy checkpoint", "renamed members"])
def test_pickles_are_never_loaded(tmp_path, capsys, form):
    trap, path = tmp_path / "trap", tmp_path / "net.pt"
    if form == "pickle":
        path.write_bytes(pickle.dumps(Bomb(trap)))
    else:
        torch.save(Bomb(trap), path, _use_new_zipfile_serialization=form != "legacy checkpoint")
    if form == "renamed members":
        with zipfile.ZipFile(path) as archive:
            members = {one: archive.read(one) for one in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
            folder = next(iter(members)).partition("/")[0]
            archive.writestr(f"{folder}/constants.pkl", pickle.dumps(Bomb(trap)))
            archive.writestr(f"{folder}/code/__torch__.py", "")
    refused(capsys, str(path))
    assert not trap.exists()


def test_archives_that_would_explode_are_refused(tmp_path):
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/constants.pkl", b"")
        archive.writestr("net/code/__torch__.py", b"")
        archive.writestr("net/data/0", bytes(50 * 2**20))
    assert path.stat().st_size * LARGEST_GROWTH < 2**20
    with pytest.raises(UserError, match="refused"):
        check_torchscript(path)


def test_torchscript_cut_short_or_changed_ends_with_one_line(tmp_path, capsys):
    path = tmp_path / "net.pt"
    torch.jit.save(torch.jit.trace(seeded(lambda: hifi_gan((4,))), torch.zeros(1, 6, 20)), path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", whole[:100], b"PK\x03\x04" + whole[500:]):
        path.write_bytes(content)
        refused(capsys, str(path))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {one: archive.read(one) for one in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, b"def forward(" if name.endswith(".py") else content)
    refused(capsys, str(path))


@pytest.mark.parametrize("content", ["", "[]", "{", '{"model": {}, "seed": 0}', '{"seed": 0}'])
def test_a_damaged_model_folder(tmp_path, capsys, content):
    (tmp_path / "spec.json").write_text(content)
    (tmp_path / "best.safetensors").write_bytes(b"")
    refused(capsys, str(tmp_path))


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


@pytest.fixture
def onnx():
    pytest.importorskip("onnxruntime", reason=NO_ONNX)
    return pytest.importorskip("onnx", reason=NO_ONNX)


def test_a_graph_tells_its_rate_and_a_voice_its_settings(onnx, tmp_path):
    path = tmp_path / "net.onnx"
    model = vocoder_graph(onnx)
    onnx.save(model, path)
    assert "44100" in open_network(Source(str(path)))[2][0]
    Path(f"{path}.json").write_text('{"audio": {"sample_rate": 22050}}')
    assert open_network(Source(str(path)))[0].samplerate == 22050
    onnx.helper.set_model_props(model, {"sample_rate": "16000"})
    onnx.save(model, path)
    network, _, notes = open_network(Source(str(path)))
    assert (network.samplerate, notes) == (16000, [])


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


def test_external_data_of_the_models_own_folder_are_read(onnx, tmp_path):
    model = vocoder_graph(onnx, np.arange(32, dtype=np.float32).reshape(4, 1, 8))
    path = tmp_path / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    loaded = read_graph(path)
    found = onnx.numpy_helper.to_array(loaded.graph.initializer[0])
    assert found.ravel().tolist() == list(range(32))


def test_without_onnx_one_line_says_what_to_install(tmp_path, capsys, monkeypatch):
    import sys

    path = tmp_path / "net.onnx"
    path.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "is not installed (pip install onnx onnxruntime" in refused(capsys, str(path))


def test_a_callable_is_any_callable(folder):
    assert load_callable(f"{folder}/nets.py:not_a_module", "--features")() == 3


def test_a_network_for_multiples_of_a_number_of_its_own(tmp_path):
    (tmp_path / "net.py").write_text(
        "from audited_networks import AutoEncoder\n"
        "class Odd(AutoEncoder):\n"
        "    def forward(self, x):\n"
        "        assert x.shape[-1] % 150 == 0, 'multiples of 150'\n"
        "        return super().forward(x)\n"
    )
    path = f"{tmp_path}/net.py:Odd"
    found = open_network(Source(path, samplerate=8000))[1]
    assert (found.length % 150, found.step % 150, found.total_stride) == (0, 0, 20)
    told = open_network(Source(path, samplerate=8000, length=1500))[1]
    assert (told.length, told.step) == (1500, 1500)
    with pytest.raises(UserError, match="multiples of 150"):
        open_network(Source(path, samplerate=8000, length=1000))
