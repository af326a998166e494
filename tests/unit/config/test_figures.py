"""The section `figures` agrees with the registries that implement its choices."""

from configurations import CONFIG

from upsampling.config.declared import choices, read_settings
from upsampling.config.figures import FiguresSettings, Signal
from upsampling.probes.signals import SIGNALS


def test_choices_are_those_that_are_implemented():
    assert set(choices(Signal)) == set(SIGNALS)


def test_stacks_are_the_columns_of_three_figures():
    figures = read_settings(FiguresSettings, CONFIG["figures"], "figures")
    assert list(figures.stacks) == [f"figure{n}.{side}" for n in (6, 7, 8)
                                    for side in ("left", "right")]  # fmt: skip
    assert figures.stacks["figure7.right"] is figures.figure7.right
