"""Closed forms and predictions of artifacts."""
