"""Footnote 3's medians and means against a few plain lines of NumPy."""

import math

import numpy as np
import pandas as pd
import pytest

from upsampling.errors import UserError
from upsampling.scoring import aggregation
from upsampling.scoring.bsseval import WHOLE_TRACK

SOURCES = ("drums", "bass", "other", "vocals")


def random_scores(tracks: int = 5, frames: int = 7) -> pd.DataFrame:
    """Scores with a quarter of the frames NaN, one track all NaN, and a second metric."""
    rng = np.random.default_rng(0)
    rows = []
    for track in range(tracks):
        for source in SOURCES:
            for frame in range(frames):
                silent = track == 2 or rng.random() < 0.25
                value = math.nan if silent else rng.normal(4, 3)
                rows.append((f"t{track}", "demo", source, frame, "SDR", value))
                rows.append((f"t{track}", "demo", source, frame, "SIR", 99.0))
    columns = ["track", "origin", "source", "frame", "metric", "value"]
    return pd.DataFrame(rows, columns=columns).sample(frac=1, random_state=1)


@pytest.mark.filterwarnings("ignore:All-NaN")
def test_medians_and_mean_are_those_of_footnote_3() -> None:
    scores = random_scores()
    means = []
    for source in SOURCES:
        medians = []
        for track in ("t0", "t1", "t2", "t3", "t4"):
            rows = (scores.source == source) & (scores.track == track) & (scores.metric == "SDR")
            medians.append(np.nanmedian(scores.value[rows].to_numpy()))
        means.append(np.nanmedian(medians))
    by_source = aggregation.source_scores(scores)
    assert by_source[list(SOURCES)].tolist() == means
    assert aggregation.overall(by_source, SOURCES) == np.mean(means)


@pytest.mark.filterwarnings("ignore:Mean of empty")
def test_means_instead_of_medians() -> None:
    scores = random_scores()
    sdr = scores[scores.metric == "SDR"]
    for source in SOURCES:
        means = [
            np.nanmean(sdr.value[(sdr.source == source) & (sdr.track == track)])
            for track in ("t0", "t1", "t2", "t3", "t4")
        ]
        mean = aggregation.source_scores(scores, "mean")[source]
        assert mean == pytest.approx(np.nanmean(means), abs=1e-12)


def test_whole_track_scores_are_averaged_over_tracks() -> None:
    scores = random_scores(2)
    whole = scores[(scores.metric == "SIR") & (scores.frame == 0)].assign(metric=WHOLE_TRACK)
    whole["value"] = whole["track"].map({"t0": 3.0, "t1": 6.0})
    both = pd.concat([scores, whole])
    assert aggregation.source_scores(both, "whole_track").tolist() == [4.5] * 4
    pd.testing.assert_series_equal(
        aggregation.source_scores(both), aggregation.source_scores(scores)
    )
    without = aggregation.source_scores(scores, "whole_track")
    assert math.isnan(aggregation.overall(without, SOURCES))


def test_unknown_aggregation_is_named() -> None:
    with pytest.raises(UserError, match=r"unknown aggregation 'medan' \(did you mean 'median'"):
        aggregation.source_scores(random_scores(1), "medan")


def test_tracks_of_one_name_and_two_origins_are_separate() -> None:
    scores = random_scores(2)
    twice = pd.concat([scores, scores.assign(origin="real", value=-100.0)])
    assert len(aggregation.track_scores(twice)) == 4
    demo = twice[twice["origin"] == "demo"]
    pd.testing.assert_series_equal(
        aggregation.source_scores(demo), aggregation.source_scores(scores)
    )


def test_mean_over_sources_needs_all_of_them() -> None:
    by_source = pd.Series({"drums": 1.0, "bass": 2.0, "other": 3.0})
    assert math.isnan(aggregation.overall(by_source, SOURCES))
    assert aggregation.overall(by_source, SOURCES[:3]) == 2.0


@pytest.mark.filterwarnings("error")
def test_spread_over_seeds_is_the_sample_deviation() -> None:
    mean, spread = aggregation.over_seeds([5.0, 5.2, 5.7])
    assert mean == pytest.approx(5.3, abs=1e-12)
    assert spread == pytest.approx(math.sqrt((0.09 + 0.01 + 0.16) / 2), abs=1e-12)
    assert aggregation.over_seeds([5.0])[0] == 5.0
    assert math.isnan(aggregation.over_seeds([5.0])[1])
    assert all(map(math.isnan, aggregation.over_seeds([])))


def test_no_scores_give_nan_not_a_crash() -> None:
    empty = random_scores(1)[:0]
    assert math.isnan(aggregation.overall(aggregation.source_scores(empty), SOURCES))


def test_a_real_track_is_split_from_the_test_set_unless_it_is_alone() -> None:
    demo = random_scores(2)
    real = demo.assign(origin="real")
    both = pd.concat([demo, real])
    pd.testing.assert_frame_equal(aggregation.split_origins(both)[0], demo)
    pd.testing.assert_frame_equal(aggregation.split_origins(both)[1], real)
    alone, none = aggregation.split_origins(real)
    assert len(alone) == len(real)
    assert not len(none)
