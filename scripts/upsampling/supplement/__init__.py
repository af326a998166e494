"""The supplement: one LaTeX document of all figures and tables of a run."""
