"""TensorBoard's event files hold what the tables of a run do."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from upsampling.training.dashboard import Dashboard
from upsampling.training.history import History


def events(path: Path) -> Iterator[Event]:
    """The records of one file: length, checksum, an event, checksum."""
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


def trained(dashboard: Dashboard, records: History, epochs: int) -> dict[tuple[str, int], float]:
    """Train so many epochs; what the dashboard should show of them."""
    expected = {}
    for _ in range(epochs):
        records.add(0.5 / (1 + len(records.history)), 0.25, seconds=2.0, examples=8, memory=7)
        dashboard.show(records)
        for kind, rows in (("loss", records.history), ("time", records.timing)):
            values = dict(rows[-1])
            epoch = int(values.pop("epoch"))
            expected |= {(f"{kind}/{name}", epoch): value for name, value in values.items()}
    return expected


def test_every_value_of_every_epoch_is_there(tmp_path: Path) -> None:
    dashboard = Dashboard(tmp_path / "events", 0)
    expected = trained(dashboard, History(), 3)
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


def test_an_interrupted_start_is_replaced_from_where_the_next_one_goes_on(tmp_path: Path) -> None:
    records = History()
    lost = Dashboard(tmp_path, 0)
    trained(lost, records, 2)
    lost.close()
    (first,) = tmp_path.iterdir()
    del records.history[1:], records.timing[1:]
    again = Dashboard(tmp_path, 1)
    expected = trained(again, records, 2)
    again.close()
    (second,) = set(tmp_path.iterdir()) - {first}
    assert points(second) == pytest.approx(expected)
    starts = [e.step for e in events(second) if e.session_log.status == e.session_log.START]
    assert starts == [2]


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    dashboard = Dashboard(None, 0)
    trained(dashboard, History(), 1)
    dashboard.close()
    assert not list(tmp_path.iterdir())
