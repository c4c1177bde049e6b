"""Geometry: voxel grids, displacement fields and the operators on them."""
