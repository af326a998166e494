"""Checkpoint files: read by the library, and verified to the last bit."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from upsampling.errors import UserError
from upsampling.training import checkpoint_file

TENSORS = {
    "b": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "a": torch.tensor(True),
    "step": torch.tensor(7.0, dtype=torch.float64),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "strided": torch.arange(6, dtype=torch.int32).reshape(2, 3).T,
}
META = {"epoch": 3, "loss": 0.1, "spec": {"name": "é"}}


@pytest.fixture
def file(tmp_path) -> Path:
    checkpoint_file.save(tmp_path / "x.safetensors", TENSORS, META)
    return tmp_path / "x.safetensors"


def test_the_library_reads_saved_tensors(file):
    assert checkpoint_file.read_verified(file) == META
    loaded = load_file(file)
    assert loaded.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)
    reordered = file.with_name("reordered.safetensors")
    checkpoint_file.save(reordered, dict(reversed(TENSORS.items())), META)
    assert reordered.read_bytes() == file.read_bytes()


def test_every_flipped_byte_and_every_truncation_is_detected(file):
    content = file.read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        file.write_bytes(changed)
        with pytest.raises(UserError):
            checkpoint_file.read_verified(file)
    for length in range(len(content)):
        file.write_bytes(content[:length])
        with pytest.raises(UserError):
            checkpoint_file.read_verified(file)


def test_a_write_that_fails_leaves_the_old_file(file):
    content = file.read_bytes()
    with pytest.raises(KeyError):
        checkpoint_file.save(file, {"complex": torch.zeros(1, dtype=torch.complex64)}, META)
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == [file.name]
