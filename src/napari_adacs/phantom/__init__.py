"""Synthetic echocardiograms with a known displacement."""
