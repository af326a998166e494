"""Signals and the time limit give a reason to stop."""

import os
import signal
import subprocess
import sys
import time

import pytest
import training_runs as small

from upsampling.training.signals import SIGNALS, Stopper

PROGRAM = """
import time
from upsampling.training.signals import Stopper
with Stopper() as stopper:
    print("ready", flush=True)
    while not stopper.reason():
        time.sleep(0.01)
    print(stopper.reason(), flush=True)
    time.sleep(60)
"""


def test_time_is_up_before_an_epoch_that_would_not_fit():
    hour = Stopper(max_minutes=60)
    assert hour.reason() == hour.reason(3000) == ""
    assert hour.reason(3600) == "60 minutes are nearly over"
    assert Stopper().reason(1e9) == ""
    assert Stopper(max_minutes=0).reason()


def test_a_share_of_the_limit_is_reserved_for_the_end(monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    minute, day = Stopper(max_minutes=1), Stopper(max_minutes=24 * 60)
    assert minute.deadline - now == pytest.approx(0.97 * 60)
    assert day.deadline - now == pytest.approx(24 * 3600 - 300)
    # An epoch may take a tenth longer than the longest one so far.
    assert minute.reason(0.97 * 60 / 1.1 - 0.01) == ""
    assert minute.reason(0.97 * 60 / 1.1 + 0.01)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_a_reason_and_handlers_are_restored(number):
    before = signal.getsignal(number)
    with Stopper() as stopper:
        assert stopper.reason() == ""
        os.kill(os.getpid(), number)
        assert stopper.reason() == f"{number.name} arrived"
    assert signal.getsignal(number) == before


def test_a_second_signal_ends_the_process():
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=small.environment(PYTHONPATH=str(small.ROOT / "scripts")),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "SIGTERM arrived\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM
    process.stdout.close()
