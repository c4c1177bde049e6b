"""Labels that move with the tissue: cells of the phantom's anatomy.

The labels of chambers and walls say where boundaries go, and nothing of how
tissue moves along them or within. The phantom knows every motion: each part
of its anatomy is divided into small cells, which are then the same tissue in
both frames. Their overlap teaches a network the whole motion, also where a
shadow hides it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_adacs.phantom.echo import EchoPair

# Cells of the surroundings, cavity, myocardium and left atrium: a cell of the
# wall is about as wide as the wall.
_CELLS = {2: (24, 6, 20, 6), 3: (40, 10, 60, 10)}


def tissue_cells(
    pair: EchoPair,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Divide the anatomy of a phantom pair into cells.

    Parameters
    ----------
    pair : EchoPair
        The pair; equal pairs get equal cells.

    Returns
    -------
    tuple of (*shape) numpy.ndarray of uint8
        Cells of the moving and of the fixed frame, from 1. Each is within
        one part of the anatomy; 0 is outside of the sector.
    """
    rng = np.random.default_rng([pair.seed, 11])
    grid = np.indices(pair.moving.shape, np.float32)
    frames = (
        (grid, pair.moving_labels),
        (grid + pair.displacement, pair.fixed_labels),
    )
    moving, fixed = (np.zeros(pair.moving.shape, np.uint8) for _ in frames)
    used = 0
    for part, count in enumerate(_CELLS[pair.moving.ndim]):
        inside = (pair.moving_labels == part) & pair.sector
        seeds = _spread(grid[:, inside].T, count, rng)
        if not len(seeds):
            continue
        nearest = cKDTree(seeds)
        for cells, (tissue, labels) in zip(
            (moving, fixed), frames, strict=True
        ):
            here = (labels == part) & pair.sector
            cells[here] = nearest.query(tissue[:, here].T)[1] + used + 1
        used += len(seeds)
    return moving, fixed


def _spread(
    points: NDArray[np.float32], count: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Choose points that keep away from one another."""
    if len(points) <= count:
        return points
    some = points[rng.permutation(len(points))[: 40 * count]]
    chosen = [0]
    away = np.linalg.norm(some - some[0], axis=1)
    while len(chosen) < count:
        chosen.append(int(away.argmax()))
        away = np.minimum(
            away, np.linalg.norm(some - some[chosen[-1]], axis=1)
        )
    return some[chosen]
