"""Audits: which layer of a network makes which line, in silence and in sound, and its repair."""
