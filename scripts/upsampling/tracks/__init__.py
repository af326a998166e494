"""Multitrack music: found, downloaded, made, decoded, stored, and cut into training examples."""
