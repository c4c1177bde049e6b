"""Registering two images with a model."""
