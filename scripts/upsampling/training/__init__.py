"""Training of a model: the loop, its checkpoints, and its processes."""
