"""A preview as layers want it, made ready where no window waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.layers import layer_kwargs
from napari_adacs.spatial.grid import Grid

if TYPE_CHECKING:
    from napari_adacs.runs.preview import Preview

# From below to above; a map that is not named here comes last.
_ORDER = ('moving', 'fixed', 'warped', 'weight', 'variance', 'score')
_VISIBLE = ('fixed', 'warped', 'score', 'variance')


@dataclass(frozen=True, eq=False)
class Picture:
    """Arrays of a preview, with all that their layers need to know.

    Parameters
    ----------
    arrays : dict of str to numpy.ndarray of float32
        What to show, from below to above, with the axes of the layers.
    limits : dict of str to (float, float)
        Contrast limits of each.
    visible : tuple of str
        Those that are seen at first.
    place : mapping
        Keywords that put a layer where the pair lies.
    """

    arrays: dict[str, NDArray[np.float32]]
    limits: dict[str, tuple[float, float]]
    visible: tuple[str, ...]
    place: Mapping[str, Any]


def picture_of(preview: Preview) -> Picture:
    """Return what layers show of a preview; not in the GUI thread.

    Parameters
    ----------
    preview : Preview
        On the network's grid.
    """
    place, images = _Place(preview), preview.images
    known = [name for name in _ORDER if name in images]
    names = [*known, *(name for name in images if name not in known)]
    arrays = {name: place.turned(images[name]) for name in names}
    both = {'score', 'variance'} <= set(names)
    # of two maps over the images one would cover the other
    covering = 'variance' if both else ''
    return Picture(
        arrays,
        {name: _limits(name, data) for name, data in arrays.items()},
        tuple(n for n in names if n in _VISIBLE and n != covering),
        place.options,
    )


def _upright(grid: Grid) -> tuple[Grid, list[int], list[int]]:
    """Turn the grid of a network so that napari can slice along its axes.

    Returns
    -------
    grid : Grid
        With axes near (z, y, x) of the world, ascending.
    order, senses : list of int
        For each new axis, the old one, and whether it is reversed.
    """
    cosines = np.abs(grid.direction)
    order: list[int] = []
    for world in reversed(range(grid.ndim)):
        free = [axis for axis in range(grid.ndim) if axis not in order]
        order.append(max(free, key=lambda axis: cosines[world, axis]))
    senses = [
        1 if grid.direction[world, axis] > 0 else -1
        for world, axis in zip(reversed(range(grid.ndim)), order, strict=True)
    ]
    return grid.reordered(order, senses), order, senses


class _Place:
    """Where the arrays of a preview go."""

    def __init__(self, preview: Preview) -> None:
        shape = preview.images['fixed'].shape
        grid = preview.grid
        if grid is None or grid.shape != shape:
            grid = Grid.of_voxels(shape)
        upright, self._order, senses = _upright(grid)
        self._flips = tuple(slice(None, None, s) for s in senses)
        self.options = layer_kwargs(upright)

    def turned(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return an array with the axes of its layer."""
        turned = np.transpose(values, self._order)[self._flips]
        return np.ascontiguousarray(turned, np.float32)


def _limits(name: str, data: NDArray[np.float32]) -> tuple[float, float]:
    if name == 'variance':
        return 0.0, max(float(np.percentile(data, 99.5)), 1e-6)
    return 0.0, 1.0
