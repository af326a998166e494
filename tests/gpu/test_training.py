"""Training on the device: as on the CPU, reproducible, exact to resume, and in other precisions."""

import re
import time

import numpy as np
import pytest
import torch
import training_runs as small
from host_reads import HostReads
from six_variants import VARIANTS, WIDER, make_steps, reference_kernels
from tf32_rounding import Tf32Rounding

from upsampling.tracks.segments import Dataset
from upsampling.training import loop
from upsampling.training.prefetch import batches

# Largest relative difference of a loss in 20 steps. float32 against float64 differs by 1.3e-7,
# TF32's rounding by 1e-4 to 1e-3 (on a CPU, all but the modified variants, which learn slowly).
SINGLE = 1e-5
TF32 = 5e-3
SIXTEEN_BITS = 2e-2
EPOCHS = {"epochs": 12, "examples_per_epoch": 12, "validation_seconds": 0.25}


def relative(losses, expected):
    return np.abs(losses / expected - 1).max()


@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_are_those_of_the_cpu(store, group, variant):
    model = VARIANTS[variant] | WIDER
    with reference_kernels():
        expected, _ = make_steps(store, model, small.CPU)
    losses, _ = make_steps(store, model, group)
    print(f"{variant}: {relative(losses, expected):.1e}")
    assert relative(losses, expected) < SINGLE
    assert losses[-5:].mean() < 0.99 * losses[:5].mean()


@pytest.mark.parametrize("variant", VARIANTS)
def test_equal_runs_have_equal_bytes(store, group, tmp_path, variant):
    results = []
    for name in ("first", "second"):
        folder = tmp_path / name
        run = small.make_run(store, folder / "checkpoints", model=VARIANTS[variant], epochs=2)
        loop.train(run, group, folder / "model")
        results.append(small.results(folder))
    assert results[0] == results[1]


def test_scaled_gradients_resume_to_the_same_bytes(store, group, tmp_path):
    for name, stops in (("parts", (1, 3)), ("whole", (3,))):
        folder = tmp_path / name
        for epochs in stops:
            changes = {"epochs": epochs, "precision": "fp16", "examples_per_epoch": 12}
            run = small.make_run(store, folder / "checkpoints", **changes)
            loop.train(run, group, folder / "model")
    assert small.results(tmp_path / "parts") == small.results(tmp_path / "whole")


def test_a_killed_run_resumes_to_the_same_bytes(store, tmp_path):
    """In processes of their own, which choose the device themselves."""
    small.train(small.arguments(store, tmp_path / "whole", **EPOCHS))
    killed = small.arguments(store, tmp_path / "killed", **EPOCHS)
    process = small.start(killed)
    assert process.stderr is not None
    for line in process.stderr:
        if re.search(r": epoch 3/", line):
            break
    time.sleep(0.05)
    assert process.poll() is None
    process.kill()
    process.communicate()
    assert "resumed after epoch" in small.train(killed)
    assert small.results(tmp_path / "killed") == small.results(tmp_path / "whole")


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_sixteen_bits_are_close_to_float32_and_learn(store, group, precision):
    model = VARIANTS["nearest"] | WIDER
    exact, _ = make_steps(store, model, group)
    losses, train_step = make_steps(store, model, group, precision=precision)
    print(f"{precision}: {relative(losses, exact):.1e}")
    assert SINGLE < relative(losses, exact) < SIXTEEN_BITS
    assert losses[-5:].mean() < 0.8 * losses[:5].mean()
    assert {weight.dtype for weight in train_step.model.parameters()} == {torch.float32}


def test_tf32_is_close_to_float32_and_learns(store, group, device):
    """On the CPU its rounding is imitated."""
    model = VARIANTS["nearest"] | WIDER
    exact, _ = make_steps(store, model, group)
    if device.type == "cuda":
        losses, _ = make_steps(store, model, group, tf32=True)
        has_tf32 = torch.cuda.get_device_capability() >= (8, 0)
    else:
        with Tf32Rounding(), reference_kernels():
            losses, _ = make_steps(store, model, group, tf32=True)
        has_tf32 = True
    print(f"tf32: {relative(losses, exact):.1e}")
    assert relative(losses, exact) < TF32
    assert losses[-5:].mean() < 0.8 * losses[:5].mean()
    if has_tf32:
        assert relative(losses, exact) > SINGLE


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("variant", ["nearest", "linear"])
def test_a_step_does_not_wait_for_the_device(store, group, device, variant, precision):
    _, train_step = make_steps(store, VARIANTS[variant], group, steps=2, precision=precision)
    samples = train_step.model.input_length(round(0.25 * small.RATE))
    batch = torch.zeros(4, 4, 2, samples, device=device)
    if device.type == "cuda":
        torch.cuda.set_sync_debug_mode("error")
        try:
            train_step.step(batch)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    else:
        with HostReads() as reads:
            train_step.step(batch)
        assert reads.names == []


def test_batches_arrive_as_they_are(store, device, tmp_path):
    """Each is read only after longer work, while the next ones are copied."""
    run = small.make_run(store, tmp_path)
    dataset = Dataset(run.store, "train", run.training, 0, 20_000)
    shares = [range(first, first + 3) for first in range(0, 36, 3)]
    work = torch.ones(768, 768, device=device)
    arrived = []
    for batch in batches(dataset, 1, shares, device):
        assert batch.device == device
        work = (work @ work).clamp(max=1.0)
        arrived.append(batch * work[0, 0])
    for share, batch in zip(shares, arrived, strict=True):
        expected = np.stack([dataset.example(1, number) for number in share])
        assert np.array_equal(batch.cpu().numpy(), expected)


def test_channels_last_changes_rounding_alone(store, group):
    """Beside the usual layout's losses, and a second time."""
    model = VARIANTS["nearest"] | WIDER
    usual, _ = make_steps(store, model, group)
    first, _ = make_steps(store, model, group, channels_last=True)
    second, _ = make_steps(store, model, group, channels_last=True)
    print(f"channels last: {relative(first, usual):.1e}")
    assert relative(first, usual) < SINGLE
    assert np.array_equal(first, second)
