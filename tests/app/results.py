"""Results that nobody computed, for tests of what is done with them."""

from __future__ import annotations

import numpy as np

from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid


def made_up_result(grid: Grid, voxels: np.ndarray | None = None) -> object:
    """Return a result with a small smooth displacement, or a given one."""
    index = np.indices(grid.shape).astype(np.float32)
    if voxels is None:
        voxels = 0.5 * np.sin(index / 3 + 1)
    noise = np.random.default_rng(0).random(grid.shape, np.float32)
    return RegistrationResult(
        DisplacementField(voxels, grid),
        warped=noise,
        residual=noise,
        score=noise,
        variance=noise,
        weight=noise,
        config=RunConfig(),
        model_name='made-up',
        device='cpu',
        displacement_sd=noise,
    )
