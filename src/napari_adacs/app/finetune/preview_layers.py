"""A pair whose layers change while a run learns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.result_layers import METADATA_KEY, is_view_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.app.finetune.preview_picture import Picture

_VIEW = 'fine-tuning'
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

    def show(self, picture: Picture) -> Iterator[Layer]:
        """Update the layers that there are, then add one per step.

        Take the steps in turns of the event loop: a new layer costs the GUI
        thread tens of milliseconds. Those that there are change together,
        so that the canvas is drawn once.
        """
        present = self.layers()
        for name, data in picture.arrays.items():
            layer = present.get(name)
            if layer is not None and _differs(layer.data, data):
                layer.data = data
        for name in picture.arrays:
            if name not in present and name not in self._shown:
                yield self._add(name, picture)

    def remove(self) -> None:
        """Remove the layers."""
        # After each removal the canvas collects the garbage of the whole
        # program, which takes a fifth of a second: once for all will do.
        with _together(self._viewer):
            for layer in self.layers().values():
                self._viewer.layers.remove(layer)
        self._shown.clear()

    def keep(self) -> None:
        """Make the layers a person's own: nobody removes them any more."""
        for layer in self.layers().values():
            about = dict(layer.metadata)
            del about[METADATA_KEY]
            layer.metadata = about

    def _add(self, name: str, picture: Picture) -> Layer:
        from napari.layers import Image

        options: dict[str, Any] = {'contrast_limits': picture.limits[name]}
        if name not in _IMAGES:
            colours = _COLOURS.get(name, 'viridis')
            options |= {'colormap': colours, 'opacity': 0.5}
        layer = Image(
            picture.arrays[name],
            name=f'{self._run}: {name}',
            visible=name in picture.visible,
            metadata={
                METADATA_KEY: {'view': _VIEW, 'run': self._run, 'role': name}
            },
            **options,
            **picture.place,
        )
        self._shown.add(name)
        selected = set(self._viewer.layers.selection)
        self._viewer.add_layer(layer)
        if selected:
            self._viewer.layers.selection = selected
        return layer


def _differs(shown: NDArray[Any], data: NDArray[Any]) -> bool:
    """Whether data of the same shape are others; images stay, maps change."""
    return shown.shape == data.shape and not np.array_equal(shown, data)


def _together(viewer: ViewerModel) -> AbstractContextManager[object]:
    """Return a block after which the canvas follows all changes at once."""
    batched = getattr(viewer.layers, 'batched_update', nullcontext)
    block: AbstractContextManager[object] = batched()
    return block
