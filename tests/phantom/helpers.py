"""Measurements on phantom pairs that several tests share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from napari_adacs.phantom.echo import EchoOptions, EchoPair

# a clean study: full speckle correlation, no nuisance, little added signal
CLEAN = EchoOptions(
    nuisance_frame='none',
    decorrelation=0.0,
    clutter=-40,
    noise=-40,
    irregularity=0.3,
)


def warp(
    image: NDArray[np.generic], displacement: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return image(x + u(x)), linearly interpolated."""
    index = np.indices(image.shape, dtype=np.float32) + displacement
    return map_coordinates(image.astype(np.float32), index, order=1)


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the Dice overlap of two masks."""
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def warped_dice(pair: EchoPair, label: int) -> float:
    """Return the overlap of the warped moving and the fixed label."""
    warped = warp(pair.moving_labels == label, pair.displacement) > 0.5
    return dice(warped, pair.fixed_labels == label)


def jacobian_determinant(
    displacement: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return det(I + grad u) by central differences."""
    ndim = len(displacement)
    gradient = np.stack([np.stack(np.gradient(c)) for c in displacement])
    matrix = np.moveaxis(gradient, (0, 1), (-2, -1)) + np.eye(ndim)
    return np.linalg.det(matrix)


def correlation(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    where: NDArray[np.bool_],
) -> float:
    """Return Pearson's correlation of two images in a mask."""
    return float(np.corrcoef(a[where], b[where])[0, 1])
