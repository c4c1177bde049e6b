"""Public checkpoints: what is in them, and how they become our models."""
