"""Progress of a run on a terminal, in a log, and without tqdm."""

import os
import select
import sys
import termios

import pytest

from upsampling.training import progress
from upsampling.training.progress import Progress, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (99, "99 s"), (100, "1.7 min"), (5999, "100.0 min"), (191400, "53.2 h")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_log_gets_periodic_lines(monkeypatch, capsys):
    run = Progress("transposed epoch 3/600", 320)
    for _ in range(5):
        run.update(32, 0.125)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    run.started -= 10.0
    run.update(32, 0.125)
    run.close()
    line = capsys.readouterr().err
    assert line.startswith("transposed epoch 3/600: 192/320 examples  loss 0.12500  19.")
    assert line.endswith(" examples/s  7 s left\n")
    assert line.count("\n") == 1


def test_a_terminal_gets_a_bar_that_is_removed(monkeypatch):
    terminal, other = os.openpty()
    termios.tcsetwinsize(other, (24, 100))
    with open(other, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        run = Progress("linear epoch 1/2", 64)
        run.bar.mininterval = 0
        run.update(32, 0.25)
        silent = Progress("other process", 64, silent=True)
        silent.update(32, 0.5)
        run.close()
        silent.close()
        stream.flush()
        shown = ""
        while select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 10000).decode()
    os.close(terminal)
    assert "linear epoch 1/2:  50%" in shown
    assert "32/64" in shown
    assert "loss=0.25000" in shown
    assert "other process" not in shown
    assert shown.endswith("\r")


def test_a_terminal_without_tqdm_gets_lines(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    terminal, other = os.openpty()
    with open(other, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        run = Progress("linear epoch 1/2", 64)
        run.started -= 1.0
        run.update(32, 0.25)
        run.close()
        shown = os.read(terminal, 10000).decode()
    os.close(terminal)
    assert shown.startswith("linear epoch 1/2: 32/64 examples  loss 0.25000")
