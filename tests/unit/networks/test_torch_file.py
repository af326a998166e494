"""Files of PyTorch networks: whatever is damaged or hostile ends with one line."""

import contextlib
import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from audited_networks import hifi_gan, seeded
from factory_files import write_factories
from refusals import refused
from safetensors.torch import save_file
from torch import nn

from upsampling.errors import UserError
from upsampling.networks.loading import Source, open_network
from upsampling.networks.torch_file import LARGEST_GROWTH, check_torchscript, load_callable


@pytest.fixture
def folder(tmp_path):
    return write_factories(tmp_path)


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


def test_a_broken_python_file_is_told(folder, capsys):
    (folder / "broken.py").write_text("def f(:\n")
    assert "cannot be imported" in refused(capsys, f"{folder}/broken.py:f")


@pytest.mark.parametrize(
    "change", ["missing", "two missing", "all missing", "further", "shape", "truncated", "text"]
)
def test_weights_that_do_not_fit(folder, capsys, change):
    shapes = {
        "first.weight": (4, 5, 3),
        "first.bias": (4,),
        "up.weight": (4, 1, 8),
        "up.bias": (1,),
    }
    for name in {
        "missing": ["up.bias"],
        "two missing": ["first.bias", "up.bias"],
        "all missing": list(shapes),
    }.get(change, []):
        del shapes[name]
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
        "missing": "lacks up.bias\n",
        "two missing": "lacks first.bias and 1 more\n",
        "all missing": "lacks first.bias and 3 more\n",
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


@pytest.mark.parametrize(("mebibytes", "refused"), [(0.9, False), (1.75, True), (50, True)])
def test_archives_that_would_explode_are_refused(tmp_path, mebibytes, refused):
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/constants.pkl", b"")
        archive.writestr("net/code/__torch__.py", b"")
        archive.writestr("net/data/0", bytes(round(mebibytes * 2**20)))
    # A mebibyte is always allowed.
    assert path.stat().st_size * LARGEST_GROWTH < (0.75 if mebibytes < 2 else 1) * 2**20
    with pytest.raises(UserError, match="refused") if refused else contextlib.nullcontext():
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


def test_a_callable_is_any_callable(folder):
    assert load_callable(f"{folder}/nets.py:not_a_module", "--features")() == 3


def test_a_file_is_imported_with_its_own_neighbors(tmp_path):
    for folder, value in (("a", 5), ("b", 6)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "neighbor.py").write_text(f"VALUE = {value}\n")
        path = tmp_path / folder / "net.py"
        path.write_text("import neighbor\n\ndef value(): return neighbor.VALUE\n")
        assert load_callable(f"{path}:value", "network")() == value
