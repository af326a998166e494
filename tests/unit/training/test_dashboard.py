"""TensorBoard's event files hold the values of history.csv and timing.csv."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from upsampling.training.dashboard import Dashboard
from upsampling.training.history import EpochMeasurement, History


def events(path: Path) -> Iterator[Event]:
    """The events of one file; each has its length, a checksum, and a checksum after it."""
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def points(path: Path) -> dict[tuple[str, int], float]:
    return {
        (value.tag, event.step): value.simple_value
        for event in events(path)
        for value in event.summary.value
    }


def add_epochs(dashboard: Dashboard, history: History, epochs: int) -> dict[tuple[str, int], float]:
    """Add `epochs` epochs; return the points that the dashboard should have."""
    expected = {}
    for _ in range(epochs):
        history.add(0.5 / (1 + len(history.epochs)), 0.25, seconds=2.0, examples=8, memory=7)
        dashboard.show(history)
        for kind, rows in (("loss", history.epochs), ("time", history.timing)):
            values = dict(rows[-1])
            epoch = int(values.pop("epoch"))
            expected |= {(f"{kind}/{name}", epoch): value for name, value in values.items()}
    return expected


def test_every_value_of_every_epoch_is_there(tmp_path: Path) -> None:
    dashboard = Dashboard(tmp_path / "events", 0)
    expected = add_epochs(dashboard, History(), 3)
    dashboard.close()
    (file,) = (tmp_path / "events").iterdir()
    assert points(file) == pytest.approx(expected)
    assert {name for name, _ in expected} == {
        "loss/train_loss",
        "loss/valid_loss",
        "time/seconds",
        "time/samples_per_second",
        "time/gpu_memory_bytes",
    }


def test_points_after_the_resumed_epoch_are_replaced(tmp_path: Path) -> None:
    history = History()
    lost = Dashboard(tmp_path, 0)
    add_epochs(lost, history, 2)
    lost.close()
    (first,) = tmp_path.iterdir()
    del history.epochs[1:], history.timing[1:]
    resumed = Dashboard(tmp_path, 1)
    expected = add_epochs(resumed, history, 2)
    resumed.close()
    (second,) = set(tmp_path.iterdir()) - {first}
    assert points(second) == pytest.approx(expected)
    starts = [e.step for e in events(second) if e.session_log.status == e.session_log.START]
    assert starts == [2]


def test_artifacts_have_a_curve_per_signal_measure_and_line(tmp_path: Path) -> None:
    rows = [
        EpochMeasurement(epoch, probe, "tone_level", layer, frequency, -epoch - layer, "dBFS")
        for epoch in (0, 2)
        for probe in ("silence", "white_noise")
        for layer, frequency in ((4, 2756.25), (5, 11025.0))
    ]
    dashboard = Dashboard(tmp_path, 0)
    dashboard.show_artifacts(rows)
    dashboard.close()
    (file,) = tmp_path.iterdir()
    assert points(file) == {
        (f"{probe}/tone_level_layer{layer}_{frequency}Hz", epoch): -epoch - layer
        for epoch in (0, 2)
        for probe in ("silence", "white_noise")
        for layer, frequency in ((4, "2756.25"), (5, "11025"))
    }


def test_a_restart_before_the_first_epoch_replaces_all_points(tmp_path: Path) -> None:
    dashboard = Dashboard(tmp_path, 0)
    dashboard.close()
    (file,) = tmp_path.iterdir()
    starts = [e.step for e in events(file) if e.session_log.status == e.session_log.START]
    assert starts == [0]


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    dashboard = Dashboard(None, 0)
    add_epochs(dashboard, History(), 1)
    dashboard.show_artifacts([EpochMeasurement(0, "silence", "tone_level", 1, 1.0, 0.0, "dBFS")])
    dashboard.close()
    assert not list(tmp_path.iterdir())
