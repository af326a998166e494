"""A step's loss and update against the same in plain torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import training_runs as small
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.models import build
from upsampling.tracks.segments import Dataset
from upsampling.training.train_step import TrainStep

# Sums of float32 losses in another order.
ROUNDING = 1e-6
SOURCES = {"l1": functional.l1_loss, "mse": functional.mse_loss}


@pytest.fixture
def sources(store, tmp_path):
    """Four training examples, `[4, sources, channels, time]`."""
    run = small.make_run(store, tmp_path)
    samples = build(run.model).input_length(round(0.25 * small.RATE))
    dataset = Dataset(run.store, "train", run.training, 0, samples)
    return torch.from_numpy(np.stack([dataset.example(1, n) for n in range(4)]))


def center(sources, samples):
    first = (sources.shape[-1] - samples) // 2
    return sources[..., first : first + samples]


@pytest.mark.parametrize("loss", SOURCES)
def test_the_loss_of_a_step_is_the_mean_over_its_batch(store, sources, tmp_path, loss):
    """In micro-batches, against a forward pass of the whole batch."""
    train_step = TrainStep(small.make_run(store, tmp_path, micro_batch=3, loss=loss), small.CPU)
    with torch.no_grad():
        estimates = train_step.model(sources.sum(dim=1)).double()
    expected = SOURCES[loss](estimates, center(sources, estimates.shape[-1]).double())
    assert float(train_step.step(sources)) == pytest.approx(float(expected), rel=ROUNDING)


def test_a_step_updates_like_adam(store, sources, tmp_path):
    run = small.make_run(store, tmp_path)
    train_step = TrainStep(run, small.CPU)
    model = build(run.model, run.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    for _ in range(3):
        train_step.step(sources)
        estimates = model(sources.sum(dim=1))
        optimizer.zero_grad()
        functional.l1_loss(estimates, center(sources, estimates.shape[-1])).backward()
        optimizer.step()
    initial = build(run.model, run.seed).state_dict()
    for name, weight in model.state_dict().items():
        # Adam's steps have the size of the learning rate, for any size of a gradient.
        moved = (weight - initial[name]).abs().max()
        error = (train_step.model.state_dict()[name] - weight).abs().max()
        assert error < 0.02 * moved


def test_losses_are_those_of_each_example(store, sources, tmp_path):
    train_step = TrainStep(small.make_run(store, tmp_path), small.CPU)
    together = train_step.losses(train_step.model, sources)
    apart = [train_step.losses(train_step.model, part) for part in sources.split(1)]
    torch.testing.assert_close(together, torch.cat(apart), rtol=1e-5, atol=0)


def test_a_model_of_other_sources_is_refused(store, tmp_path):
    run = small.make_run(store, tmp_path)
    run.model = replace(run.model, sources=("speech", "noise"))
    with pytest.raises(UserError, match="sources are speech, noise; those of the data are drums"):
        TrainStep(run, small.CPU)
