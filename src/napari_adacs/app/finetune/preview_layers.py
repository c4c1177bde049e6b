"""A pair whose layers change while a run learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.result_layers import METADATA_KEY, is_view_layer
from napari_adacs.spatial.grid import Grid

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.runs.preview import Preview

_VIEW = 'fine-tuning'
# From below to above; a map that is not named here comes last.
_ORDER = ('moving', 'fixed', 'warped', 'weight', 'variance', 'score')
_VISIBLE = ('fixed', 'warped', 'score', 'variance')
_COLOURS = {'variance': 'magma'}
_IMAGES = ('moving', 'fixed', 'warped')


class PreviewLayers:
    """The layers of one run's preview in a viewer.

    They are found by what their metadata say: a person may rename, restyle
    and delete them, and one that was deleted does not come back.

    Parameters
    ----------
    viewer : ViewerModel
        Where they are shown.
    run : str
        Which run they belong to.
    """

    def __init__(self, viewer: ViewerModel, run: str) -> None:
        self._viewer = viewer
        self._run = run
        self._shown: set[str] = set(self.layers())

    def layers(self) -> dict[str, Layer]:
        """Return the layers that exist, by what they show."""
        found = {}
        for layer in self._viewer.layers:
            about = layer.metadata.get(METADATA_KEY)
            if is_view_layer(layer) and about.get('run') == self._run:
                found[about['role']] = layer
        return found

    def show(self, preview: Preview) -> Iterator[Layer]:
        """Add or update the layers, one per step.

        Take the steps in turns of the event loop: each costs the GUI thread
        some milliseconds.
        """
        arrays = preview.images
        present = self.layers()
        place = _Place(preview)
        known = [n for n in _ORDER if n in arrays]
        for name in [*known, *(n for n in arrays if n not in known)]:
            data = place.turned(arrays[name])
            layer = present.get(name)
            if layer is None and name not in self._shown:
                yield self._add(name, data, place.options, preview)
            elif layer is not None and layer.data.shape == data.shape:
                layer.data = data
                yield layer

    def remove(self) -> None:
        """Remove the layers."""
        for layer in self.layers().values():
            self._viewer.layers.remove(layer)
        self._shown.clear()

    def keep(self) -> None:
        """Make the layers a person's own: nobody removes them any more."""
        for layer in self.layers().values():
            about = dict(layer.metadata)
            del about[METADATA_KEY]
            layer.metadata = about

    def _add(
        self,
        name: str,
        data: NDArray[np.float32],
        placed: Mapping[str, Any],
        preview: Preview,
    ) -> Layer:
        from napari.layers import Image

        options: dict[str, Any] = {'contrast_limits': _limits(name, data)}
        if name not in _IMAGES:
            colours = _COLOURS.get(name, 'viridis')
            options |= {'colormap': colours, 'opacity': 0.5}
        layer = Image(
            data,
            name=f'{self._run}: {name}',
            visible=name in _VISIBLE and name != self._hidden(preview),
            metadata={
                METADATA_KEY: {'view': _VIEW, 'run': self._run, 'role': name}
            },
            **options,
            **placed,
        )
        self._shown.add(name)
        selected = set(self._viewer.layers.selection)
        self._viewer.add_layer(layer)
        if selected:
            self._viewer.layers.selection = selected
        return layer

    def _hidden(self, preview: Preview) -> str:
        """Return the map that would cover another one."""
        both = {'score', 'variance'} <= set(preview.images)
        return 'variance' if both else ''


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
