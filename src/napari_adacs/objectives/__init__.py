"""Similarity and regularity terms, each with its equation."""
