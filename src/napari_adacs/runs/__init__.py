"""A training run seen from outside: its folder and its process."""
