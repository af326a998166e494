"""The figures, one module per family."""
