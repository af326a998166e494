"""Runs that are killed, stopped or disturbed end with the bytes of an undisturbed one."""

import json
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import training_runs as small

KILLS = 10
CHANGES = {"epochs": 60, "examples_per_epoch": 12, "validation_seconds": 0.25}
# Longer than a small epoch, so that kills fall into all of its phases.
LONGEST_WAIT_SECONDS = 0.25


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return small.write_store(tmp_path_factory.mktemp("faults") / "store")


@pytest.fixture(scope="module")
def undisturbed(store, tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    small.train(small.arguments(store, folder, **CHANGES))
    return small.results(folder)


def wait_for_training(process: subprocess.Popen[str]) -> str:
    """Read messages until this process has finished an epoch; return them."""
    messages = ""
    assert process.stderr is not None
    for line in process.stderr:
        messages += line
        if re.search(r": epoch \d+/", line):
            break
    return messages


def test_killed_at_random_moments(store, undisturbed, tmp_path):
    """Each kill loses the unfinished epoch at most."""
    choice = random.Random(0)
    command = small.arguments(store, tmp_path, **CHANGES)
    lost = []
    done = 0
    for _ in range(KILLS):
        process = small.start(command)
        messages = wait_for_training(process)
        time.sleep(choice.uniform(0, LONGEST_WAIT_SECONDS))
        assert process.poll() is None
        process.kill()
        _, rest = process.communicate()
        resumed = re.search(r"resumed after epoch (\d+)", messages)
        lost.append(done - int(resumed[1]) if resumed else done)
        finished = re.findall(r": epoch (\d+)/", messages + rest)
        done = int(finished[-1]) if finished else done
    assert done > 0
    # A message follows its checkpoint; after a kill between the two, more epochs are kept.
    assert max(lost) <= 0
    messages = small.train(command)
    print(f"killed {KILLS} times; then: {messages.splitlines()[0]}")
    assert small.results(tmp_path) == undisturbed
    names = [path.name for path in (tmp_path / "checkpoints").iterdir()]
    assert len([name for name in names if name.endswith(".safetensors")]) <= 4


def test_stopped_by_its_time_limit(store, undisturbed, tmp_path):
    command = small.arguments(store, tmp_path, "--max-minutes", "0.05", **CHANGES)
    stops = 0
    while True:
        process = small.start(command)
        lines = [(time.monotonic(), line) for line in process.stderr or ()]
        if process.wait() == 0:
            break
        stops += 1
        assert process.returncode == 75
        assert "0.05 minutes are nearly over: stopped after epoch" in lines[-1][1]
        assert lines[-1][0] - lines[0][0] < 3
        assert stops < 20
    print(f"stopped {stops} times by its limit of 3 s")
    assert stops >= 1
    assert small.results(tmp_path) == undisturbed


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_stopped_by_a_signal(store, undisturbed, tmp_path, processes, number):
    """The launcher forwards the signal, and exits with the status of its processes."""
    command = small.arguments(store, tmp_path, "--processes", processes, **CHANGES)
    process = small.start(command)
    wait_for_training(process)
    process.send_signal(number)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 75, messages
    assert "stopped after epoch" in messages
    assert not (tmp_path / "checkpoints" / "lock.json").exists()
    assert not (tmp_path / "model").exists()
    if processes == "1":
        small.train(command)
        assert small.results(tmp_path) == undisturbed


def test_two_trainers_in_one_folder(store, undisturbed, tmp_path):
    command = small.arguments(store, tmp_path, **CHANGES)
    first = small.start(command)
    wait_for_training(first)
    # Alive, but not progressing.
    first.send_signal(signal.SIGSTOP)
    message = small.train(command, status=1)
    assert f"is being written by process {first.pid}" in message
    assert message.count("\n") == 1
    both = small.train([*command, "--processes", "2"], status=1)
    assert both.count("is being written by process") == 1
    assert "Traceback" not in both
    first.send_signal(signal.SIGCONT)
    _, messages = first.communicate(timeout=60)
    assert first.returncode == 0, messages
    assert small.results(tmp_path) == undisturbed


BROKEN = """
import torch
from torch import nn


class Broken(nn.ConvTranspose1d):
    steps = 0

    def __init__(self, in_channels, out_channels, stride, *, bias=True):
        super().__init__(in_channels, out_channels, stride, stride, bias=bias)

    def forward(self, features):
        self.steps += torch.is_grad_enabled()
        return super().forward(features) * (float("inf") if self.steps > 1 else 1)
"""


def test_a_loss_that_is_not_finite_ends_all_processes_with_one_message(store, tmp_path):
    """The operator's output becomes infinite in its second step."""
    own = tmp_path / "broken.py"
    own.write_text(BROKEN)
    model = small.MODEL | {"operator": f"{own}:Broken", "options": {}}
    settings = ("--processes", "2", "--model-settings", json.dumps(model))
    command = small.arguments(store, tmp_path, *settings)
    message = small.train(command, status=1)
    assert re.search(r"error: small: the loss became \S+ at step 2 of epoch 1", message)
    assert message.count("the loss became") == 1
    assert "Traceback" not in message
