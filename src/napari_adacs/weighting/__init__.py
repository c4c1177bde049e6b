"""Weighting schemes: how much each voxel's residual counts."""
