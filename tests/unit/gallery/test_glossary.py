"""Every probe and measure has an entry; other names explain themselves."""

import pytest

from upsampling.config.model import DemucsLikeSettings
from upsampling.gallery.glossary import ARTIFACTS, MEASURES, PROBES, entry_of
from upsampling.measures.from_waveform import measure_waveform
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.shifts import measure_shifts
from upsampling.models import build
from upsampling.probes.model_output import model_output
from upsampling.probes.signals import SIGNALS


def test_every_probe_has_an_entry():
    assert set(SIGNALS) | {"weights", "initialisation"} <= set(PROBES)


def test_every_measure_has_an_entry():
    model = build(DemucsLikeSettings(channels=2, depth=2, bottleneck="none"), 0)
    _, output, samplerate = model_output(model, "white_noise", 1, 0)
    measurements = [
        *measure_waveform(output, samplerate, [4, 4]),
        *measure_layers(model.upsampling_layers),
        *measure_shifts(model, 0.5, 0),
    ]
    assert {measurement["measure"] for measurement in measurements} <= set(MEASURES)


@pytest.mark.parametrize("glossary", [ARTIFACTS, PROBES, MEASURES])
def test_entries_are_sentences(glossary):
    for entry in glossary.values():
        assert entry.title[0].isupper()
        assert entry.text.endswith(".")


@pytest.mark.parametrize(("name", "title"), [("group_delay", "Group delay"), ("", "None")])
def test_unknown_names_explain_themselves(name, title):
    assert entry_of(name, MEASURES) == (title, "")
    assert entry_of("level", MEASURES).title == "Level"
