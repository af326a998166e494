"""Training losses, and the network behind a deep feature loss."""
