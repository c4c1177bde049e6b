"""Which plane of a layer a viewer shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.app.review.lazy import Key
from napari_adacs.app.units import convert

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Layer


@dataclass(frozen=True)
class Plane:
    """A plane of voxels.

    Parameters
    ----------
    axes : tuple of int
        Axes of the array that are displayed: down, then across.
    key : tuple of int or slice
        Index of the plane in the array; the displayed axes are slices. The
        result has its axes in array order.
    """

    axes: tuple[int, ...]
    key: Key

    def place(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Return points (N, 2) of the plane as points (N, ndim) of the array.

        Coordinates are in array order, as those of the plane's own array.
        """
        placed = np.empty((len(points), len(self.key)), np.float32)
        across = iter(np.asarray(points).T)
        for axis, part in enumerate(self.key):
            placed[:, axis] = next(across) if isinstance(part, slice) else part
        return placed

    @property
    def kept(self) -> tuple[int, ...]:
        """Displayed axes in array order."""
        return tuple(sorted(self.axes))


def shown_plane(
    dims: Dims, layer: Layer, shape: Sequence[int]
) -> Plane | None:
    """Return the plane of an array that a viewer shows in two dimensions.

    The same voxels as napari takes for a layer in that place, also of a
    rotated one.

    Parameters
    ----------
    dims : Dims
        Of the viewer.
    layer : Layer
        Where the array lies.
    shape : sequence of int
        Shape of the array.

    Returns
    -------
    Plane or None
        None if the viewer is in 3D or outside the array.
    """
    if dims.ndisplay != 2:
        return None
    axes = displayed_axes(dims, layer.ndim)
    hidden = [axis for axis in range(layer.ndim) if axis not in axes]
    inverse = np.linalg.inv(_matrix(layer, dims.units))
    point = np.asarray(dims.point, float)[-layer.ndim :]
    within = np.ix_(hidden, hidden)
    index = np.round(inverse[within] @ point[hidden] + inverse[hidden, -1])
    key: list[int | slice] = [slice(None)] * layer.ndim
    for axis, number in zip(hidden, index, strict=True):
        if not 0 <= number < shape[axis]:
            return None
        key[axis] = int(number)
    return Plane(axes, tuple(key))


def displayed_axes(dims: Dims, ndim: int) -> tuple[int, ...]:
    """Return the axes of an array that a viewer displays."""
    order = np.asarray(dims.order)
    order = order[order >= dims.ndim - ndim] - (dims.ndim - ndim)
    return tuple(int(axis) for axis in order[-dims.ndisplay :])


def to_data(
    position: ArrayLike, dims: Dims, layer: Layer
) -> NDArray[np.float64]:
    """Return where a position of the viewer lies in the data of a layer."""
    inverse = np.linalg.inv(_matrix(layer, dims.units))
    point = np.asarray(position, float)[-layer.ndim :]
    found: NDArray[np.float64] = inverse[:-1, :-1] @ point + inverse[:-1, -1]
    return found


def to_world(
    index: ArrayLike, dims: Dims, layer: Layer
) -> NDArray[np.float64]:
    """Return where a voxel of a layer lies, in the units of the viewer."""
    matrix = _matrix(layer, dims.units)
    found: NDArray[np.float64] = matrix[:-1, :-1] @ np.asarray(index, float)
    return found + matrix[:-1, -1]


def _matrix(layer: Layer, shared: Sequence[Any] | None) -> NDArray[np.float64]:
    """Return the map from a layer's data to the world, shared units."""
    ndim = layer.ndim
    origin = np.asarray(layer.data_to_world(np.zeros(ndim)), float)
    ends = [np.asarray(layer.data_to_world(e), float) for e in np.eye(ndim)]
    matrix = np.eye(ndim + 1)
    matrix[:-1, :-1] = np.stack([end - origin for end in ends], axis=1)
    matrix[:-1, -1] = origin
    if shared is not None and len(shared) >= ndim:
        pairs = zip(layer.units, tuple(shared)[-ndim:], strict=True)
        factors = [convert(1.0, own, unit) for own, unit in pairs]
        matrix[:-1] *= np.asarray(factors)[:, None]
    return matrix
