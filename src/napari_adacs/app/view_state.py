"""Looking at one layer alone in 3D, and going back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_adacs.app.surface_layer import SURFACE_KEY

# How much of the view a surface may fill, and how near to go at most.
_FILL, _MOST_ZOOM = 0.75, 4.0

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


@dataclass(frozen=True)
class ViewState:
    """Which layers a viewer shows, and how.

    Parameters
    ----------
    visible : frozenset of str
        Their ids.
    ndisplay : int
        2 or 3.
    """

    visible: frozenset[str]
    ndisplay: int

    @classmethod
    def of(cls, viewer: ViewerModel) -> ViewState:
        """Return what a viewer shows, surfaces left out."""
        return cls(
            frozenset(
                str(layer.unique_id)
                for layer in viewer.layers
                if layer.visible and SURFACE_KEY not in layer.metadata
            ),
            viewer.dims.ndisplay,
        )

    def restore(self, viewer: ViewerModel) -> None:
        """Show these layers again; surfaces, which slices hide, no more."""
        for layer in viewer.layers:
            if SURFACE_KEY in layer.metadata:
                layer.visible = False
            elif str(layer.unique_id) in self.visible:
                layer.visible = True
        viewer.dims.ndisplay = self.ndisplay


def look_at(viewer: ViewerModel, layer: Layer) -> None:
    """Show a surface in 3D; volumes around it are hidden.

    Other surfaces stay.
    """
    for other in viewer.layers:
        if other is not layer and SURFACE_KEY not in other.metadata:
            other.visible = False
    layer.visible = True
    if viewer.dims.ndisplay != 3:
        viewer.dims.ndisplay = 3
    viewer.reset_view()
    whole, own = viewer.layers.extent.world, layer.extent.world
    size = np.linalg.norm(own[1, -3:] - own[0, -3:])
    if size > 0 and viewer.layers.units == layer.units:
        ratio = np.linalg.norm(whole[1, -3:] - whole[0, -3:]) / size
        viewer.scene.camera.zoom *= float(
            np.clip(_FILL * ratio, 1, _MOST_ZOOM)
        )
        viewer.scene.camera.center = tuple(
            map(float, own[:, -3:].mean(axis=0))
        )
