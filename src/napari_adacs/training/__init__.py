"""Collaborative training of displacement and auxiliary estimators."""
