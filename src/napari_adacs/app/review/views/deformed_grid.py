"""A regular grid, deformed as the image is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.review.isolines import in_plane, isolines
from napari_adacs.app.review.views.base import Option, View

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_adacs.app.review.planes import Plane

_LINE_COLOUR = '#56b4e9'
# Voxels along a slice that are enough to draw smooth lines.
_FINEST = 128


class DeformedGrid(View):
    """A grid drawn on the moving image and warped with it.

    Its lines are where a coordinate of ``x + u(x)`` is a multiple of the
    distance of the lines: pulled back, as the warped image is.
    """

    name = 'grid'
    title = 'Deformed grid'
    tooltip = (
        'A regular grid of the moving image, warped with it: where it stays '
        'regular nothing moves, where lines cross the field folds.'
    )
    only_flat = 'The grid is drawn on slices; in 3D you see the overlay.'

    def make_options(self) -> tuple[Option, ...]:
        """Return the distance of lines and what lies below."""
        return (
            self.length_option(
                'distance',
                'Distance',
                'Distance of the lines before they were deformed.',
                16,
            ),
            Option(
                'below',
                'Image',
                'Image below the grid.',
                1,
                choices=('fixed', self.pair.other.name),
            ),
        )

    def make_layers(self) -> list[Layer]:
        """Return both images, one of them shown, and the grid."""
        sides = self.pair.fixed, self.pair.other
        images = [self.side_image(side) for side in sides]
        lines = self.lines(
            'grid', 1.6, edge_color=_LINE_COLOUR, vector_style='line'
        )
        self.layers = [*images, lines]
        self.apply('below')
        return self.layers

    def apply(self, name: str) -> None:
        """Change the image or the lines."""
        for i, layer in enumerate(self.layers[:2]):
            layer.visible = i == int(self.values['below'])
        self.follow()

    def follow(self) -> None:
        """Draw the grid of the slice that is shown."""
        plane = self.plane()
        if plane is not None:
            pieces = [self._family(plane, axis) for axis in plane.kept]
            self.layers[2].data = in_plane(np.concatenate(pieces), plane)

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """What the lines are."""
        distance = self.values['distance']
        text = f'grid of {distance:.3g} {self.pair.unit}, warped'
        return ((_LINE_COLOUR, text),)

    def _family(self, plane: Plane, axis: int) -> NDArray[np.float32]:
        """Return the lines across one axis.

        A sine of the coordinate crosses zero just where it is a multiple of
        the distance: one search finds all lines.
        """
        field = self.pair.field.voxels[(axis, *plane.key)]
        # fields are smooth: lines need not bend at every voxel of a big one
        stride = max(1, max(field.shape) // _FINEST)
        along = [1, 1]
        along[plane.kept.index(axis)] = -1
        index = np.arange(self.pair.shape[axis]).reshape(along)
        where = (field + index.astype(np.float32))[::stride, ::stride]
        step = self.values['distance'] / self.pair.grid.spacing[axis]
        # half a step off: no line along the border of the image
        phase = np.pi * (where.astype(float) / step + 0.5)
        return isolines(np.sin(phase), 0.0) * np.float32(stride)
