"""Multitrack music: downloaded, decoded, stored, and cut into training examples."""
