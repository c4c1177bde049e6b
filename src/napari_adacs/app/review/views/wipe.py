"""A curtain between two images that can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.review.lazy import Key, LazyArray, open_index
from napari_adacs.app.review.planes import displayed_axes, to_world
from napari_adacs.app.review.views.base import Option, View

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_adacs.app.review.pair import Pair

_LINE_COLOUR = '#ffb000'


class Halves(LazyArray):
    """Two images side by side in one place, composed slice by slice.

    Parameters
    ----------
    pair : Pair
        The images.
    axis : int
        Across which axis the border lies.
    border : float
        Place of the border along that axis, in voxels: fixed before it.
    swapped : bool
        Whether the other image comes before the border.
    """

    def __init__(
        self, pair: Pair, axis: int, border: float, swapped: bool
    ) -> None:
        super().__init__(pair.shape)
        self._pair = pair
        self.axis = axis
        self.border = border
        self.swapped = swapped

    def compose(self, key: Key) -> NDArray[Any]:
        """Compose a part, reading of each image only what is shown."""
        index = open_index(key, self.shape)
        before = np.asarray(index[self.axis] < self.border) != self.swapped
        if before.all():
            return self._pair.fixed.read(key)
        if not before.any():
            return self._pair.read_other(key)
        return np.where(
            before, self._pair.fixed.read(key), self._pair.read_other(key)
        )


class Wipe(View):
    """Fixed on one side of a line, the other beyond it."""

    name = 'wipe'
    title = 'Wipe'
    tooltip = (
        'Fixed on one side of a line, warped beyond it; drag the line over '
        'the image.'
    )

    def make_options(self) -> tuple[Option, ...]:
        """Return place and direction of the line."""
        return (
            Option(
                'position',
                'Position',
                'Place of the line; it can be dragged in the image, too.',
                50.0,
                0.0,
                100.0,
                0.5,
                '%',
            ),
            Option(
                'direction',
                'Direction',
                'Which way the line moves.',
                0.0,
                choices=('left to right', 'top to bottom'),
            ),
        )

    def make_layers(self) -> list[Layer]:
        """Return the layer and its line; in 3D two clipped volumes."""
        if self.dims.ndisplay == 3:
            sides = self.pair.fixed, self.pair.other
            layers: list[Layer] = [
                self.side_image(s, blending='additive') for s in sides
            ]
            self._clip(layers)
            return layers
        self._halves = Halves(self.pair, *self._border(None))
        limits = self.pair.fixed.limits
        about = f'fixed and {self.pair.other.name}'
        line = self.lines(
            'line', 2.0, edge_color=_LINE_COLOUR, vector_style='line'
        )
        image = self.image(self._halves, about, contrast_limits=limits)
        self.layers = [image, line]
        self._compose()
        return self.layers

    def apply(self, name: str) -> None:
        """Move the line."""
        if self.dims.ndisplay == 3:
            self._clip(self.layers)
        else:
            self._compose()
            self.layers[0].refresh(extent=False, thumbnail=False)

    def follow(self) -> None:
        """Lay the line across other axes if other ones are shown."""
        if self.dims.ndisplay == 3:
            return
        shown = displayed_axes(self.dims, len(self.pair.shape))
        if shown != self._shown:
            self._compose()
            self.layers[0].refresh(extent=False, thumbnail=False)

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Which side is which."""
        upright = self.values['direction'] == 1
        first, second = ('above', 'below') if upright else ('left', 'right')
        return (
            ('', f'{first}: fixed'),
            ('', f'{second}: {self.pair.other.name}'),
        )

    def handle(self) -> tuple[int, float] | None:
        """Return the axis and the place of the line, in voxels."""
        if self.dims.ndisplay == 3:
            return None
        return self._halves.axis, self._halves.border

    def position_of(self, place: float) -> float:
        """Return the option for a place of the line along its axis."""
        size = self.pair.shape[self._halves.axis]
        share = float(np.clip((place + 0.5) / size, 0, 1))
        return 100 * (1 - share if self._halves.swapped else share)

    def _border(self, layer: Layer | None) -> tuple[int, float, bool]:
        """Return axis and place of the line, and what comes first."""
        shown = displayed_axes(self.dims, len(self.pair.shape))
        axis = shown[-1 if self.values['direction'] == 0 else -2]
        flipped = layer is not None and _runs_back(layer, self.dims, axis)
        share = self.values['position'] / 100
        share = 1 - share if flipped else share
        return axis, share * self.pair.shape[axis] - 0.5, flipped

    def _compose(self) -> None:
        halves = self._halves
        halves.axis, halves.border, halves.swapped = self._border(
            self.layers[0]
        )
        self._shown = displayed_axes(self.dims, len(self.pair.shape))
        self._draw_line()

    def _draw_line(self) -> None:
        """Draw the line in every slice: napari shows the one it needs."""
        shape, axis = self.pair.shape, self._halves.axis
        shown = displayed_axes(self.dims, len(shape))
        along = next(a for a in shown if a != axis)
        hidden = [a for a in range(len(shape)) if a not in shown]
        slices = shape[hidden[0]] if hidden else 1
        data = np.zeros((slices, 2, len(shape)), np.float32)
        data[:, 0, axis] = self._halves.border
        data[:, 0, along] = -0.5
        data[:, 1, along] = shape[along]
        if hidden:
            data[:, 0, hidden[0]] = np.arange(slices)
        self.layers[1].data = data

    def _clip(self, layers: list[Layer]) -> None:
        """Cut both volumes at the border, on opposite sides."""
        axis, border, flipped = self._border(layers[0])
        for layer, sense in zip(layers, (-1, 1), strict=True):
            normal = np.zeros(len(self.pair.shape))
            normal[axis] = -sense if flipped else sense
            position = (np.asarray(self.pair.shape) - 1) / 2
            position[axis] = border
            layer.experimental_clipping_planes = [
                {'position': position, 'normal': normal, 'enabled': True}
            ]


def _runs_back(layer: Layer, dims: Any, axis: int) -> bool:
    """Whether an axis of a layer runs against that of the viewer."""
    step = np.eye(layer.ndim)[axis]
    way = to_world(step, dims, layer) - to_world(0 * step, dims, layer)
    return bool(way[axis] < 0)
