"""Probes: test signals, spectra by the conventions of the paper's appendix, and measurements."""
