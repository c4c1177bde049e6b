"""From the network grid back to the images' own grids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.networks.base import Motion
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.preprocess import resample
from napari_adacs.registration.result import FloatMap
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid


def native_field(
    motion: Motion, network: Grid, moving: Grid, fixed: Grid
) -> DisplacementField:
    """Return the estimated field on the native fixed grid."""
    inverse = motion.inverse
    on_network = DisplacementField(
        motion.displacement[0].float().cpu().numpy(),
        network,
        inverse_voxels=(
            None if inverse is None else inverse[0].float().cpu().numpy()
        ),
    )
    native = on_network.to_grid(fixed)
    return DisplacementField(
        native.voxels,
        fixed,
        None if moving.same_space(fixed) else moving,
        native.inverse_voxels,
    )


def native_map(values: Tensor, network: Grid, fixed: Grid) -> FloatMap:
    """Return a map (1, 1, *shape) on the native fixed grid."""
    found: FloatMap = values[0, 0].numpy()
    if network.same_space(fixed):
        return found
    out: FloatMap = resample(found, network, fixed)[0, 0].numpy()
    return out


def residual(
    fixed: ImageOnGrid, moving: ImageOnGrid, warped: FloatMap
) -> FloatMap:
    """Return the absolute difference of both images scaled to [0, 1]."""
    target = _unit(fixed.data, fixed.data)
    difference: FloatMap = np.abs(target - _unit(warped, moving.data))
    return difference


def _unit(values: NDArray[Any], like: NDArray[Any]) -> FloatMap:
    low, high = np.float32(like.min()), np.float32(like.max())
    scaled: FloatMap = (values.astype(np.float32) - low) / (high - low)
    return scaled
