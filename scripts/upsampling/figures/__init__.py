"""The figures, one module per family."""

import os

# Figures are drawn into files. matplotlib refuses to be imported with a backend that it lacks.
os.environ["MPLBACKEND"] = "agg"
