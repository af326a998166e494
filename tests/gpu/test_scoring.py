"""A trained model separates and scores on the device as on the CPU."""

import numpy as np
import pytest
import torch
import training_runs as small
from six_variants import VARIANTS, WIDER, reference_kernels

from upsampling.models import build
from upsampling.scoring.bsseval import evaluate
from upsampling.scoring.separation import separate
from upsampling.training import loop
from upsampling.training.checkpoints import load_model

# Largest difference of a score, in dB.
SCORE = 1e-3
# Largest difference of a separated sample; full scale is 1.
SAMPLE = 1e-5


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory):
    """A model that was trained for an epoch on the CPU."""
    folder = tmp_path_factory.mktemp("scoring")
    run = small.make_run(store, folder / "checkpoints", epochs=1, model=WIDER)
    loop.train(run, small.CPU, folder / "model")
    return folder / "model", run.store


def separated(model, store):
    track = store.tracks("valid")[0]
    settings = {"segment_seconds": 1.0, "overlap": 0.25, "batch_size": 2}
    return separate(model, store.mixture(track), samplerate=small.RATE, **settings)


def scores(store, estimates, metrics):
    references = store.references(store.tracks("valid")[0])
    sources = (np.swapaxes(signals, 1, 2) for signals in (references, estimates))
    return evaluate(*sources, small.RATE, metrics=metrics)


@pytest.mark.parametrize("metrics", [["SDR"], ["SDR", "ISR", "SIR", "SAR"]], ids=len)
def test_scores_are_those_of_the_cpu(trained, device, metrics):
    """The last three need SciPy."""
    if len(metrics) > 1:
        pytest.importorskip("scipy")
    folder, store = trained
    with reference_kernels():
        expected = separated(load_model(folder), store)
    estimates = separated(load_model(folder).to(device), store)
    assert np.abs(estimates - expected).max() < SAMPLE
    found, wanted = (scores(store, signals, metrics) for signals in (estimates, expected))
    largest = max(np.nanmax(np.abs(found[name] - wanted[name])) for name in wanted)
    print(f"{len(metrics)} metrics: {largest:.1e} dB")
    assert largest < SCORE
    assert np.isfinite(found["SDR"]).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_separations_repeat_to_the_byte(store, trained, device, variant):
    model = build(small.make_run(store, store / "none", model=VARIANTS[variant]).model).to(device)
    first, second = (separated(model, trained[1]) for _ in range(2))
    assert np.array_equal(first, second)
    assert torch.isfinite(torch.from_numpy(first)).all()
