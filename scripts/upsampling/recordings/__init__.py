"""Audits of recordings: the combs of tones that the upsampling layers of a decoder leave."""
