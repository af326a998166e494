"""Phrases of captions."""

import pytest

from upsampling.tables.captions import Description, counted, extent


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs"), (600, "600 epochs")]
)
def test_units_are_counted(number, text):
    assert counted(number, "epoch") == text


def test_the_extent_has_known_facts_alone():
    assert extent(Description(epochs=1, channels=12)) == ["1 epoch", "12 channels"]
    assert extent(Description(channels=1)) == ["1 channel"]
    assert extent(Description()) == []
    assert extent(Description(epochs=0)) == ["0 epochs"]
