"""Sections of config.yaml agree with the registries that implement their choices."""

from dataclasses import asdict
from typing import get_args

import pytest

from upsampling.config.declared import choices, fields_of, read_settings
from upsampling.config.losses import LossName
from upsampling.config.sections import (
    METRICS,
    EvaluationSettings,
    Literature,
    Metric,
    ProbesSettings,
)
from upsampling.config.training import TrainingSettings
from upsampling.errors import UserError
from upsampling.losses.terms import TERMS
from upsampling.scoring.aggregation import AGGREGATIONS
from upsampling.scoring.bsseval import ENGINES
from upsampling.training.train_step import PRECISIONS


@pytest.mark.parametrize(
    ("kind", "registry"),
    [
        (fields_of(EvaluationSettings)["engine"], ENGINES),
        (fields_of(EvaluationSettings)["aggregation"], AGGREGATIONS),
        (LossName, TERMS),
        (fields_of(TrainingSettings)["precision"], PRECISIONS),
    ],
)
def test_choices_are_those_that_are_implemented(kind, registry):
    assert set(choices(kind)) == set(registry)


def test_metrics_hold_sdr():
    assert get_args(Metric) == METRICS
    with pytest.raises(UserError, match=r"^evaluation: metrics: .*list SDR, and any of ISR"):
        read_settings(EvaluationSettings, {"metrics": ["SIR"]}, "evaluation")


def test_published_scores_are_one_folder_or_several():
    row = {"table_label": "Theirs", "source": "somewhere"}
    assert read_settings(Literature, row | {"scores": "a"}, "l").folders == ("a",)
    assert read_settings(Literature, row | {"scores": ["a", "b"]}, "l").folders == ("a", "b")
    assert read_settings(Literature, row, "l").folders == ()


def test_probes_survive_a_round_trip_through_json():
    settings = ProbesSettings(seconds=1, signals=("silence", "music"))
    assert read_settings(ProbesSettings, asdict(settings), "probes") == settings
