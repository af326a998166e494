"""Settings of figures: signals that exist, and layers by the keys where they stand."""

from dataclasses import replace

from configurations import CONFIG

from upsampling.config.declared import choices
from upsampling.config.experiment import Experiment
from upsampling.config.figures import Signal
from upsampling.probes.signals import SIGNALS


def test_signals_are_those_that_are_implemented():
    assert set(choices(Signal)) == set(SIGNALS)


def test_layers_are_found_by_the_keys_where_they_stand():
    figures = Experiment(CONFIG).settings.figures
    assert len(figures.stacks) == 6
    assert figures.stacks["figures.figure7.right"] is figures.figure7.right
    assert figures.following["figures.replicas.following.1"] is figures.replicas.following[1]
    assert replace(figures, replicas=None).following == {}
