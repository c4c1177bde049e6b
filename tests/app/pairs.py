"""Layers that can be registered, small and of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import ViewerModel
from scipy.ndimage import gaussian_filter

MM = ('mm',) * 3
SHAPE = (16, 16, 16)


def texture(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    """Return smooth noise."""
    noise = np.random.default_rng(seed).random(shape, np.float32)
    values: np.ndarray = gaussian_filter(noise, 1.5)
    return values


def add_pair(
    viewer: ViewerModel, shape: tuple[int, ...] = SHAPE, **options: Any
) -> None:
    """Add 'ED' and 'ES', in mm if nothing else is said."""
    ndim = len(shape)
    default = {'scale': (3, 2, 1)[-ndim:], 'units': MM[-ndim:]}
    for seed, name in enumerate(('ED', 'ES')):
        data = texture(shape, seed)
        viewer.add_image(data, name=name, **{**default, **options})


def add_cine(viewer: ViewerModel, frames: int = 4) -> None:
    """Add a 4D 'cine' with time first."""
    data = np.stack([texture(seed=i) for i in range(frames)])
    viewer.add_image(
        data,
        name='cine',
        scale=(0.05, 3, 2, 1),
        units=('s', *MM),
        axis_labels=('t', 'z', 'y', 'x'),
    )
