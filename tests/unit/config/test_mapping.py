"""Equal settings give equal text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upsampling.config.mapping import canonical, merge, whole

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_canonical_json_means_the_same(values):
    assert json.loads(canonical(values)) == values


@given(st.dictionaries(st.text(), st.integers()))
def test_order_of_keys_does_not_matter(values):
    assert canonical(values) == canonical(dict(reversed(values.items())))


def test_whole_numbers_are_written_in_one_way():
    assert canonical({"a": [10.0, (0.5, 1.0)]}) == '{"a":[10,[0.5,1]]}'
    assert whole(True) is True
    assert canonical(1e300) == canonical(int(1e300))


def test_numbers_that_json_lacks_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))


def test_later_layers_win_and_nested_mappings_are_merged():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge(base, {"a": {"c": [3]}}, {"d": {"e": 2}}) == {
        "a": {"b": 1, "c": [3]},
        "d": {"e": 2},
    }
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 1}
