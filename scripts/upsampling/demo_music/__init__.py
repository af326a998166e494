"""Composer of the demo songs: score, instruments and voice."""
