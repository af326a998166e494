"""Measures of upsampling artifacts, from weights and from waveforms."""
