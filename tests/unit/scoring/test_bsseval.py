"""The exact engine against museval, on every kind of input with rules of its own."""

import tracemalloc

import numpy as np
import pytest

from upsampling.errors import UserError
from upsampling.scoring.bsseval import METRICS, WHOLE_TRACK, NotScorable, evaluate
from upsampling.scoring.projections import energy_ratios
from upsampling.tracks.decoder import ensure_ffmpeg

DECIBELS = 1e-9
RATIO_DECIBELS = 1e-6
RATE = 1000


@pytest.fixture(scope="module")
def museval():  # type: ignore[no-untyped-def]
    ensure_ffmpeg()
    import museval

    return museval


def noise(seconds: float, channels: int = 2, sources: int = 2, seed: int = 0) -> np.ndarray:
    shape = (sources, round(seconds * RATE), channels)
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def harmonic(seconds: float, channels: int = 2) -> np.ndarray:
    """Two periodic sources with vibrato in loudness: nearly singular for 512-tap filters."""
    time = np.arange(round(seconds * RATE)) / RATE
    tones = [
        sum(np.sin(2 * np.pi * f0 * h * time + h) / h for h in range(1, 6))
        * (1 + np.sin(2 * np.pi * 0.7 * time))
        for f0 in (27.5, 41.2)
    ]
    pan = np.linspace(0.3, 1, channels)
    return (0.1 * np.stack(tones)[:, :, None] * pan).astype(np.float32)


def silence(signals: np.ndarray, source: int, start: float, stop: float) -> np.ndarray:
    changed = signals.copy()
    changed[source, round(start * RATE) : round(stop * RATE)] = 0
    return changed


def antiphase(signals: np.ndarray) -> np.ndarray:
    """Second 1 of source 0 cancels over its channels, and counts as silent in museval."""
    changed = signals.copy()
    changed[0, RATE : 2 * RATE, 1] = -changed[0, RATE : 2 * RATE, 0]
    return changed


R, E = noise(3.4), noise(3.4) + 0.4 * noise(3.4, seed=1)
H = harmonic(3)
CASES = {
    "noise": (R, E),
    "float64": (R.astype(np.float64), E.astype(np.float64)),
    "music": (H, H + 0.05 * noise(3)),
    "mixture as estimate": (H, np.repeat(H.mean(axis=0, keepdims=True), 2, axis=0)),
    "leakage": (H, 0.8 * H + 0.2 * H[::-1]),
    "good estimate": (R, (R + 1e-4 * E).astype(np.float32)),
    "silent reference frame": (silence(R, 1, 1, 2), E),
    "silent estimate frame": (R, silence(E, 0, 0, 1)),
    "nearly silent frame": (silence(R, 1, 1, 1.999), E),
    "silence across frames": (silence(R, 1, 0.5, 1.5), E),
    "antiphase": (antiphase(R), E),
    "sounding in the dropped remainder only": (silence(R, 1, 0, 3), E),
    "mono": (R[:, :, :1], E[:, :, :1]),
    "three channels": (noise(2.5, 3), noise(2.5, 3) + noise(2.5, 3, seed=2)),
    "dual mono": (R[:, :, :1].repeat(2, axis=2), E),
    "four sources": (noise(2, 1, 4), noise(2, 1, 4) + noise(2, 1, 4, seed=5)),
    "shorter estimate": (R, E[:, :2900]),
    "much shorter estimate": (R, E[:, :1500]),
    "longer estimate": (R, np.concatenate([E, E], axis=1)),
    "one frame": (R[:, :RATE], E[:, :RATE]),
    "under a second": (R[:, :700], E[:, :700]),
    "one sample under two frames": (R[:, : 2 * RATE - 1], E[:, : 2 * RATE - 1]),
}


# Linearly dependent references have no unique filters, so the filtered signals of a frame, which
# cuts into the references, depend on rounding. SDR does not.
UNDETERMINED = ("music", "mixture as estimate", "leakage")
FILTER_LENGTH = 16


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore:All-NaN")
def test_exact_scores_are_those_of_museval(case: str, museval) -> None:  # type: ignore[no-untyped-def]
    references, estimates = museval.pad_or_truncate(*CASES[case])
    expected = museval.metrics.bss_eval(
        references, estimates, window=RATE, hop=RATE, filters_len=FILTER_LENGTH
    )
    sdr = evaluate(*CASES[case], RATE, "exact", metrics=["SDR"])["SDR"]
    np.testing.assert_array_equal(np.isnan(sdr), np.isnan(expected[0]))
    np.testing.assert_allclose(sdr, expected[0], rtol=0, atol=DECIBELS)
    if case not in UNDETERMINED:
        length = min(RATE, references.shape[1])
        silent = np.isnan(sdr).all(axis=0)
        ratios = energy_ratios(references, estimates, length, silent, FILTER_LENGTH)
        for metric, right in zip(("ISR", "SIR", "SAR"), expected[1:4], strict=True):
            np.testing.assert_allclose(ratios[metric], right, rtol=0, atol=RATIO_DECIBELS)


def test_frames_and_silence_are_counted_as_documented() -> None:
    sdr = evaluate(*CASES["silent reference frame"], RATE)["SDR"]
    assert sdr.shape == (2, 3)
    np.testing.assert_array_equal(np.isnan(sdr), [[False, True, False]] * 2)
    assert evaluate(*CASES["under a second"], RATE)["SDR"].shape == (2, 1)


def test_gain_error_has_its_closed_form() -> None:
    sdr = evaluate(R.astype(np.float64), 0.9 * R.astype(np.float64), RATE)["SDR"]
    np.testing.assert_allclose(sdr, 20.0, atol=DECIBELS)
    assert np.isposinf(evaluate(R, R, RATE)["SDR"]).all()


def test_museval_engine_gives_all_four_metrics(museval) -> None:  # type: ignore[no-untyped-def]
    references, estimates = CASES["silent reference frame"]
    scores = evaluate(references, estimates, RATE, "museval")
    expected = museval.evaluate(references, estimates, win=RATE, hop=RATE)
    assert list(scores) == [*METRICS, WHOLE_TRACK]
    for metric, right in zip(METRICS, expected, strict=True):
        np.testing.assert_array_equal(scores[metric], right)
    exact = evaluate(references, estimates, RATE, "exact")
    assert list(exact) == list(scores)
    for metric, values in exact.items():
        np.testing.assert_allclose(values, scores[metric], rtol=0, atol=RATIO_DECIBELS)
    assert list(evaluate(references, estimates, RATE, metrics=["SDR"])) == ["SDR", WHOLE_TRACK]


def test_whole_track_sdr_counts_every_sample() -> None:
    references, estimates = (x.astype(np.float64) for x in CASES["silent reference frame"])
    error = np.square(estimates - references).sum(axis=(1, 2))
    expected = 10 * np.log10(np.square(references).sum(axis=(1, 2)) / error)
    scores = evaluate(references, estimates, RATE, metrics=["SDR"])[WHOLE_TRACK]
    np.testing.assert_allclose(scores, expected[:, None], rtol=0, atol=DECIBELS)


@pytest.mark.parametrize("engine", ["exact", "museval"])
@pytest.mark.parametrize("role", ["reference", "estimate"])
def test_silence_throughout_is_not_scorable(engine: str, role: str, museval) -> None:  # type: ignore[no-untyped-def]
    silent = {role: silence(R, 1, 0, 3.4)}
    references, estimates = silent.get("reference", R), silent.get("estimate", E)
    with pytest.raises(ValueError, match="non-silent"):
        museval.evaluate(references, estimates, win=RATE, hop=RATE)
    with pytest.raises(NotScorable, match=f"the {role} is silent throughout for vocals"):
        evaluate(references, estimates, RATE, engine, names=("drums", "vocals"))


def test_singular_references_are_a_note_with_museval_alone(museval) -> None:  # type: ignore[no-untyped-def]
    """Impulses at time 0 pass the FFT without rounding, so that equal sources are singular."""
    references = np.zeros((2, 2 * RATE, 1))
    references[:, 0] = 4.0
    estimates = references + noise(2, 1)
    with pytest.raises(NotScorable, match="linearly dependent"):
        evaluate(references, estimates, RATE, "museval")
    scores = evaluate(references, estimates, RATE, "exact")
    assert not any(np.isnan(scores[metric][:, 0]).any() for metric in METRICS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("engine", ["exact", "museval"])
def test_broken_samples_name_the_track(value: float, engine: str) -> None:
    broken = E.copy()
    broken[1, -1, 0] = value
    with pytest.raises(UserError, match=r"^linear/seed0, track 'A': the estimate of bass .* 3 s"):
        evaluate(R, broken, RATE, engine, where="linear/seed0, track 'A'", names=("drums", "bass"))


def test_signals_that_do_not_match_are_refused() -> None:
    with pytest.raises(UserError, match="do not match"):
        evaluate(R, E[:1], RATE)


def test_memory_does_not_grow_with_the_track() -> None:
    def peak(seconds: int) -> int:
        references, estimates = noise(seconds), noise(seconds, seed=1)
        tracemalloc.start()
        evaluate(references, estimates, RATE)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(160) < 1.1 * peak(40)
