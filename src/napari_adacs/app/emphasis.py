"""From a painted region to how much more residuals count there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.label_evaluation import onto_moving

if TYPE_CHECKING:
    from napari_adacs.registration.inputs import ImageOnGrid
    from napari_adacs.spatial.grid import Grid

STRENGTH = 10.0


def painted_emphasis(
    region: ImageOnGrid, fixed: Grid, strength: float = STRENGTH
) -> NDArray[np.float32]:
    """Return the `emphasis` that `register` takes.

    Parameters
    ----------
    region : ImageOnGrid
        Painted voxels are not zero; anywhere in the world of the images.
    fixed : Grid
        The fixed grid.
    strength : float, default: 10
        Residuals in the region count ``1 + strength`` times.

    Returns
    -------
    (*fixed.shape) numpy.ndarray of float32
        The strength where the region is, else 0.

    Raises
    ------
    InputError
        If the region is elsewhere.
    """
    from napari_adacs.spatial.field import DisplacementField

    placed = onto_moving(DisplacementField.identity(fixed), region)
    painted = np.asarray(region.data) != 0
    if placed.moving_grid is not None:
        painted = placed.warp_labels(painted.astype(np.uint8), 'nearest') != 0
    emphasis: NDArray[np.float32] = painted.astype(np.float32)
    return emphasis * np.float32(strength)
