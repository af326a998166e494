"""Options are declared for exactly the registered operators, and their constructors take them."""

import inspect

import pytest

from upsampling.config.declared import fields_of
from upsampling.config.operators import OPTIONS
from upsampling.operators import OPERATORS


def test_every_registered_operator_declares_options():
    assert list(OPTIONS) == list(OPERATORS)


@pytest.mark.parametrize("name", OPERATORS)
def test_constructors_take_the_declared_options_with_their_defaults(name):
    parameters = inspect.signature(OPERATORS[name]).parameters
    options = {
        key: parameter.default
        for key, parameter in parameters.items()
        if key not in ("in_channels", "out_channels", "stride", "bias")
    }
    declared = OPTIONS[name]()
    assert options == {key: getattr(declared, key) for key in fields_of(OPTIONS[name])}
