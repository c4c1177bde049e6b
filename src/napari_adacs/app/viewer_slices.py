"""Which slice of a grid the viewer shows, and how to show another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.units import in_mm
from napari_adacs.errors import InputError

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.spatial.grid import Grid


@dataclass(frozen=True, eq=False)
class ViewerSlices:
    """The slices of a grid in the world of a viewer.

    The last axes of the viewer are those of the grid's array, whatever the
    order in which they are shown. napari cuts a layer along its own axes,
    also where these are tilted in the world; so does this class.

    Parameters
    ----------
    viewer : ViewerModel
        What shows the layers.
    grid : Grid
        Grid of a layer, axes in the order of its array.
    """

    viewer: ViewerModel
    grid: Grid

    @property
    def axis(self) -> int:
        """Array axis along which the viewer scrolls.

        Of several, the one whose slider was moved last. A viewer in 3D
        scrolls along none: the axis that it would, shown in 2D.
        """
        dims, ndim = self.viewer.dims, self.grid.ndim
        first = dims.ndim - ndim
        candidates = self._cut()
        if not candidates:
            shown = [a - first for a in dims.order if a >= first]
            return shown[0] if shown else 0
        last = dims.last_used - first
        return last if last in candidates else candidates[0]

    def index(self, axis: int) -> float:
        """Return the slice along an axis at which the viewer is."""
        axes = self._cut_with(axis)
        return float(self._indices(axes)[axes.index(axis)])

    def go_to(self, axis: int, index: float) -> None:
        """Show a slice; the position along other axes stays."""
        dims = self.viewer.dims
        place = dims.ndim - self.grid.ndim + axis
        slope = self._world_to_index()[axis, axis]
        if place < 0 or abs(slope) < 1e-12:
            return
        step = (index - self.index(axis)) / slope
        factor = self._factors()[axis]
        dims.set_point(place, dims.point[place] + step / factor)

    def _indices(self, axes: list[int]) -> NDArray[np.float64]:
        """Return the indices along axes, as napari finds them."""
        dims, ndim = self.viewer.dims, self.grid.ndim
        point = np.zeros(ndim)
        known = min(ndim, dims.ndim)
        point[ndim - known :] = dims.point[dims.ndim - known :]
        point *= self._factors()
        matrix = self._world_to_index()
        part = matrix[np.ix_(axes, axes)]
        return np.asarray(part @ point[axes] + matrix[axes, ndim])

    def _world_to_index(self) -> NDArray[np.float64]:
        """Return the map from napari's world, axes reversed, to indices."""
        order = [*range(self.grid.ndim - 1, -1, -1), self.grid.ndim]
        return np.asarray(np.linalg.inv(self.grid.affine)[:, order])

    def _factors(self) -> NDArray[np.float64]:
        """Return what turns the viewer's units into those of the grid."""
        units = self.viewer.layers.units
        if self.grid.units != 'mm' or units is None:
            return np.ones(self.grid.ndim)
        try:
            factors, _ = in_mm(units[-self.grid.ndim :])
        except InputError:
            return np.ones(self.grid.ndim)
        return np.asarray(factors)

    def _cut(self) -> list[int]:
        """Return the array axes that the viewer does not display."""
        dims = self.viewer.dims
        first = dims.ndim - self.grid.ndim
        return [axis - first for axis in dims.not_displayed if axis >= first]

    def _cut_with(self, axis: int) -> list[int]:
        return sorted({*self._cut(), axis})
