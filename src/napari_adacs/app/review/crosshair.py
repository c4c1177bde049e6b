"""Lines that show where the other planes cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.app.review.host import Host
from napari_adacs.app.review.layer_pool import LayerPool
from napari_adacs.app.review.planes import shown_plane, to_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.components import ViewerModel

# Unlike the line of a wipe, which can be dragged.
_COLOUR = '#7fd1ff'


class Crosshair:
    """Two thin lines through the position of a viewer's sliders.

    Parameters
    ----------
    viewer : ViewerModel
        Where to draw them.
    placement : mapping
        Places the grid on which they lie.
    shape : tuple of int
        Shape of that grid.
    host : Host, optional
        The window of the viewer.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        placement: Mapping[str, Any],
        shape: tuple[int, ...],
        host: Host | None = None,
    ) -> None:
        self._viewer = viewer
        self._shape = shape
        self._pool = LayerPool(viewer, placement, host=host)
        self._lines = self._pool.lines(
            'crosshair',
            len(shape),
            'Planes: position',
            1.3,
            edge_color=_COLOUR,
            vector_style='line',
            opacity=0.7,
        )
        self._pool.show([self._lines])
        self._events = viewer.dims.events.point, viewer.dims.events.order
        for event in self._events:
            event.connect(self._draw)
        viewer.dims.events.ndisplay.connect(self._draw)
        self._draw()

    def close(self) -> None:
        """Take the lines away."""
        for event in self._events:
            event.disconnect(self._draw)
        self._viewer.dims.events.ndisplay.disconnect(self._draw)
        self._pool.remove()

    def _draw(self, event: Any = None) -> None:
        dims = self._viewer.dims
        plane = shown_plane(dims, self._lines, self._shape)
        self._lines.visible = plane is not None
        if plane is None:
            return
        here = to_data(dims.point, dims, self._lines)
        for axis, part in enumerate(plane.key):
            if not isinstance(part, slice):
                here[axis] = part
        data = np.zeros((2, 2, len(self._shape)), np.float32)
        data[:, 0] = here
        for line, axis in enumerate(plane.kept):
            data[line, 0, axis] = -0.5
            data[line, 1, axis] = self._shape[axis]
        self._lines.data = data
