"""The displacement as arrows in the slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.arrows import arrows
from napari_adacs.app.review.isolines import in_plane
from napari_adacs.app.review.views.base import Option, View

if TYPE_CHECKING:
    from napari.layers import Layer, Vectors
    from napari.utils.colormaps import Colormap

    from napari_adacs.app.review.planes import Plane

# Shorter ones would be dots.
_SHORTEST_VOXELS, _SHORTEST_SHARE = 0.05, 0.04
_COLOURS = 'plasma'


class Arrows(View):
    """In-plane part of the displacement, on a lattice of the slice."""

    name = 'arrows'
    title = 'Arrows'
    tooltip = (
        'Displacement in the slice: an arrow leads from a place of the fixed '
        'image to where its value came from in the moving one.'
    )

    def make_options(self) -> tuple[Option, ...]:
        """Return number and length of the arrows."""
        return (
            Option(
                'count',
                'Arrows',
                'Arrows along the longer side of the slice.',
                24,
                8,
                64,
                4,
            ),
            Option(
                'length',
                'Length',
                'Length of the arrows; 1 is the displacement itself.',
                1,
                0.5,
                5,
                0.5,
                '×',
            ),
        )

    def make_layers(self) -> list[Layer]:
        """Return the fixed image and the arrows."""
        self._longest = self._find_longest()
        lines = self.lines('displacement', 5.0, vector_style='arrow')
        self.layers = [self.side_image(self.pair.fixed), lines]
        lines.length = self.values['length']
        self._draw()
        return self.layers

    def apply(self, name: str) -> None:
        """Draw more, fewer, longer or shorter arrows."""
        if name == 'length':
            self.layers[1].length = self.values['length']
        else:
            self._draw()

    def follow(self) -> None:
        """Draw the arrows of the slice that is shown."""
        if self.dims.ndisplay == 2:
            self._draw()

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """What the colours mean."""
        text = f'up to {self._longest:.3g} {self.pair.unit}'
        return ((_COLOURS, text),)

    def _draw(self) -> None:
        layer: Vectors = self.layers[1]
        if self.dims.ndisplay == 3:
            field = self.pair.field
            data, lengths = arrows(field.voxels, field.magnitude_mm)
        else:
            plane = self.plane()
            if plane is None:
                return
            data, lengths = self._in_slice(plane)
        layer.data = data
        layer.features = {'length': lengths}
        if layer.edge_color_mode == 'colormap':
            layer.edge_contrast_limits = (0.0, self._longest)
            layer.refresh_colors()
        else:
            layer.edge_colormap = bright_plasma()
            layer.edge_color = 'length'
            layer.edge_contrast_limits = (0.0, self._longest)

    def _in_slice(
        self, plane: Plane
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return arrows (N, 2, ndim) of a slice and their lengths."""
        field, spacing = self.pair.field.voxels, self.pair.grid.spacing
        sizes = [self.pair.shape[a] for a in plane.kept]
        step = max(1, round(max(sizes) / self.values['count']))
        axes = [np.arange(step // 2, n, step) for n in sizes]
        start = np.stack(np.meshgrid(*axes, indexing='ij'), -1).reshape(-1, 2)
        where = tuple(start.T)
        way = np.stack(
            [field[(a, *plane.key)][where] for a in plane.kept], axis=-1
        )
        steps = np.asarray([spacing[a] for a in plane.kept])
        lengths = np.linalg.norm(way * steps, axis=1)
        kept = np.linalg.norm(way, axis=1) >= _SHORTEST_VOXELS
        kept &= lengths >= _SHORTEST_SHARE * self._longest
        # napari cannot colour a layer of no vectors by a feature
        kept[lengths.argmax()] = True
        pieces = np.stack([start, way], axis=1)[kept]
        return in_plane(pieces, plane), lengths[kept].astype(np.float32)

    def _find_longest(self) -> float:
        """Return the longest displacement, without a volume in between."""
        return (
            max(
                float(self._squares(i).max()) ** 0.5
                for i in range(self.pair.shape[0])
            )
            or 1e-6
        )

    def _squares(self, index: int) -> NDArray[np.float32]:
        total: NDArray[np.float32] = sum(
            (component[index] * np.float32(step)) ** 2
            for component, step in zip(
                self.pair.field.voxels, self.pair.grid.spacing, strict=True
            )
        )
        return total


def bright_plasma() -> Colormap:
    """Return plasma without its dark end, to be seen on dark images."""
    from napari.utils.colormaps import Colormap, ensure_colormap

    colours = ensure_colormap('plasma').map(np.linspace(0.35, 1, 32))
    return Colormap(colours, name='bright plasma')
