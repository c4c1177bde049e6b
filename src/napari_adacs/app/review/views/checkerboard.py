"""Tiles of both images in turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.review.lazy import Key, LazyArray, open_index
from napari_adacs.app.review.views.base import Option, View

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_adacs.app.review.pair import Pair


class Tiles(LazyArray):
    """A checkerboard of two images, composed slice by slice.

    Tiles are squares in the world. They alternate along the axes of the part
    that is asked for only, so that scrolling does not exchange them.

    Parameters
    ----------
    pair : Pair
        The images.
    size : float
        Edge of a tile, in the unit of the grid.
    """

    def __init__(self, pair: Pair, size: float) -> None:
        super().__init__(pair.shape)
        self._pair = pair
        self.size_mm = size

    def compose(self, key: Key) -> NDArray[Any]:
        """Compose a part: fixed in the tile of the first voxel."""
        other = self.from_other(key)
        return np.where(
            other, self._pair.read_other(key), self._pair.fixed.read(key)
        )

    def from_other(self, key: Key) -> NDArray[np.bool_]:
        """Return where a part shows the other image."""
        parity: Any = np.int8(0)
        index = open_index(key, self.shape)
        spacing = self._pair.grid.spacing
        for part, i, step in zip(key, index, spacing, strict=True):
            if isinstance(part, slice):
                tile = np.floor((i + 0.5) * step / self.size_mm)
                parity = parity + tile.astype(np.int32)
        odd: NDArray[np.bool_] = np.asarray(parity % 2 == 1)
        return odd


class Checkerboard(View):
    """Tiles of fixed and the other in turns."""

    name = 'checkerboard'
    title = 'Checkerboard'
    tooltip = (
        'Tiles of fixed and warped in turns; contours should run on across '
        'their edges.'
    )
    only_flat = (
        'The checkerboard is drawn on slices; in 3D you see the overlay.'
    )

    def make_options(self) -> tuple[Option, ...]:
        """Return the size of the tiles."""
        return (self.length_option('size', 'Tile size', 'Edge of a tile.', 8),)

    def make_layers(self) -> list[Layer]:
        """Return the one layer."""
        self._tiles = Tiles(self.pair, self.values['size'])
        limits = self.pair.fixed.limits
        about = f'fixed and {self.pair.other.name}'
        return [self.image(self._tiles, about, contrast_limits=limits)]

    def apply(self, name: str) -> None:
        """Draw tiles of another size."""
        self._tiles.size_mm = self.values['size']
        self.layers[0].refresh(extent=False, thumbnail=False)
