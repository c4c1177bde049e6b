"""Between the sliders of a viewer and the slices of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.app.units import convert

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def scroll_axis(viewer: ViewerModel, layer: Layer) -> int:
    """Return the array axis of a layer along which the viewer scrolls.

    Parameters
    ----------
    viewer : ViewerModel
        Its order of axes decides; in the 3D view, the order of the 2D view.
    layer : Layer
        2D or 3D; its axes are the last ones of the viewer.

    Returns
    -------
    int
        0 for a 2D layer.
    """
    if layer.ndim < 3:
        return 0
    first = viewer.dims.ndim - layer.ndim
    hidden = [axis - first for axis in viewer.dims.order[:-2]]
    return max(0, int(hidden[-1]))


def slice_count(layer: Layer, axis: int) -> int:
    """Return the number of slices along an axis; 1 for a 2D layer."""
    if layer.ndim < 3:
        return 1
    return int(layer.data.shape[axis])


def slices_in_reach(viewer: ViewerModel, layer: Layer, axis: int) -> range:
    """Return the slices of a layer that the viewer's slider can show.

    All of them, but for a rotated layer: napari slices it as if it were
    upright, and its slider may end before the layer does.
    """
    last = slice_count(layer, axis) - 1
    if layer.ndim < 3:
        return range(1)
    slope, offset = _world_to_slice(layer, axis)
    along = viewer.dims.range[_viewer_axis(viewer, layer, axis)]
    ends = [
        slope * _converted(value, viewer, layer, axis, to_layer=True) + offset
        for value in (along.start, along.stop)
    ]
    low, high = (int(np.clip(round(x), 0, last)) for x in sorted(ends))
    return range(low, high + 1)


def current_slice(viewer: ViewerModel, layer: Layer, axis: int) -> int:
    """Return the slice of a layer that the viewer shows."""
    if layer.ndim < 3:
        return 0
    slope, offset = _world_to_slice(layer, axis)
    value = viewer.dims.point[_viewer_axis(viewer, layer, axis)]
    value = _converted(value, viewer, layer, axis, to_layer=True)
    index = round(slope * value + offset)
    return int(np.clip(index, 0, slice_count(layer, axis) - 1))


def show_slice(
    viewer: ViewerModel, layer: Layer, axis: int, index: int
) -> None:
    """Move the viewer to a slice of a layer."""
    if layer.ndim < 3:
        return
    slope, offset = _world_to_slice(layer, axis)
    value = (index - offset) / slope
    value = _converted(value, viewer, layer, axis, to_layer=False)
    viewer.dims.set_point(_viewer_axis(viewer, layer, axis), value)


def _viewer_axis(viewer: ViewerModel, layer: Layer, axis: int) -> int:
    return int(viewer.dims.ndim - layer.ndim + axis)


def _world_to_slice(layer: Layer, axis: int) -> tuple[float, float]:
    """Return slope and offset from the world to an index along an axis.

    As napari slices: of a rotated layer only the part along the axis counts.
    """
    zero = np.zeros(layer.ndim)
    unit = zero.copy()
    unit[axis] = 1.0
    offset = float(layer.world_to_data(zero)[axis])
    return float(layer.world_to_data(unit)[axis]) - offset, offset


def _converted(
    value: float,
    viewer: ViewerModel,
    layer: Layer,
    axis: int,
    *,
    to_layer: bool,
) -> float:
    """Convert between the shared unit of the sliders and the layer's."""
    shared: Any = viewer.layers.units
    if shared is None:
        return value
    pair = shared[axis - layer.ndim], layer.units[axis]
    return convert(value, *(pair if to_layer else pair[::-1]))
