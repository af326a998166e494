"""A process is alive until it has ended, and its start time tells it from a later one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from upsampling.process_state import is_alive, start_ticks


def test_start_ticks_are_those_of_ps():
    now = float(Path("/proc/uptime").read_text().split()[0])
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    ticks = start_ticks(process.pid)
    process.communicate(b"\n")
    assert ticks is not None
    assert int(ticks) / os.sysconf("SC_CLK_TCK") == pytest.approx(now, abs=5)
    assert start_ticks(process.pid) is None


def test_a_process_that_nobody_waited_for_has_ended():
    assert is_alive(os.getpid())
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    process.stdout.read()
    for _ in range(100):
        if not is_alive(process.pid):
            break
        time.sleep(0.05)
    assert not is_alive(process.pid)
    process.wait()
