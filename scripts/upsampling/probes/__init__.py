"""Test signals, and the outputs of models and operators for them."""
