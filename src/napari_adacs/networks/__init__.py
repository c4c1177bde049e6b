"""Displacement estimators and the scoring and variance estimators."""
