"""The warped image while a registration is being refined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image

from napari_adacs.app.layer_specs import Role

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.prepared import Prepared
    from napari_adacs.registration.preview import Snapshot


class PreviewLayer:
    """A layer that lives as long as a refinement.

    Parameters
    ----------
    viewer : ViewerModel
        Where it is shown.
    prepared : Prepared
        The registration; says where the image belongs and how it looks.
    """

    def __init__(self, viewer: ViewerModel, prepared: Prepared) -> None:
        self._viewer = viewer
        self._prepared = prepared
        self._layer: Image | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show the warped image so far.

        A layer that the person has deleted does not come back.
        """
        if self._layer is None:
            looks = dict(self._prepared.looks.get(Role.WARPED, {}))
            layer = Image(
                snapshot.warped,
                name=f'{self._prepared.title} refining…',
                **self._prepared.placement,
                **looks,
            )
            self._layer = layer
            self._viewer.add_layer(layer)
        elif self._layer in self._viewer.layers:
            self._layer.data = snapshot.warped

    def remove(self) -> None:
        """Take the layer away."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None
