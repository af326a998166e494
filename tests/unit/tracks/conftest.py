"""Two noise tracks, and a store of them."""

import pytest
from noise_tracks import plan, write_two

from upsampling.tracks.building import build_store
from upsampling.tracks.store import TrackStore


@pytest.fixture
def raw(tmp_path):
    """Samples of two noise tracks below tmp_path/raw, by name."""
    return write_two(tmp_path / "raw")


@pytest.fixture
def store(tmp_path, raw):
    build_store(tmp_path / "store", plan(tmp_path / "raw"))
    return TrackStore.open(tmp_path / "store")
