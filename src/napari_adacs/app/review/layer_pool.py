"""Layers that one view leaves to the next.

Adding a layer costs the window a tenth of a second, removing one costs it a
full garbage collection: views that are switched by keys must not do either
each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer, Vectors

from napari_adacs.app.result_layers import METADATA_KEY
from napari_adacs.app.review.host import Host
from napari_adacs.app.review.planes import to_world

if TYPE_CHECKING:
    from napari.components import ViewerModel

# Share by which a line may be too wide or too narrow.
_NOTICED = 0.15
_IMAGE_LOOK: dict[str, Any] = {
    'colormap': 'gray',
    'blending': 'translucent',
    'opacity': 1.0,
    'gamma': 1.0,
    'interpolation2d': 'nearest',
    'rendering': 'mip',
    'visible': True,
    'experimental_clipping_planes': [],
}


class LayerPool:
    """The layers that views use in one viewer.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are.
    placement : mapping
        Keyword arguments that place them.
    bars : bool, default: True
        Whether there is room for colour bars.
    host : Host, optional
        The window.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        placement: Mapping[str, Any],
        *,
        bars: bool = True,
        host: Host | None = None,
    ) -> None:
        self._viewer = viewer
        self._host = host or Host()
        self._placement = placement
        self._bars = bars
        self._pixels: dict[str, float] = {}
        self._layers: dict[str, Layer] = {}
        self._in_use: set[str] = set()

    @property
    def layers(self) -> list[Layer]:
        """All layers of the pool, in use or not."""
        return list(self._layers.values())

    def image(self, key: str, data: Any, name: str, **look: Any) -> Image:
        """Return an image layer that looks as it should.

        Parameters
        ----------
        key : str
            Which layer to take, if there is one already.
        data : array_like
            Its data.
        name : str
            Its name.
        **look
            Further attributes; those of `_IMAGE_LOOK` by default.
        """
        look = {**_IMAGE_LOOK, **look}
        layer = self._layers.get(key)
        if layer is None:
            layer = Image(
                data,
                rgb=False,
                multiscale=False,
                # one slice, whatever the thickness that is chosen
                projection_mode='none',
                **self._common(name),
                **look,
            )
            return self._keep(key, layer)
        layer.colorbar.visible = False
        layer.data = data
        return self._restyle(key, layer, {**look, 'name': name})

    def labels(self, key: str, data: Any, name: str, **look: Any) -> Labels:
        """Return a labels layer that cannot be painted on."""
        layer = self._layers.get(key)
        if layer is None:
            common = self._common(name)
            layer = Labels(data, multiscale=False, **common, **look)
            layer.editable = False
            return self._keep(key, layer)
        layer.data = data
        look = {**look, 'name': name, 'visible': True}
        return self._restyle(key, layer, look)

    def lines(
        self, key: str, ndim: int, name: str, pixels: float, **look: Any
    ) -> Vectors:
        """Return a layer for lines, as wide on the canvas at any zoom.

        Parameters
        ----------
        key : str
            Which layer to take, if there is one already.
        ndim : int
            Number of axes.
        name : str
            Its name.
        pixels : float
            Width on the canvas.
        **look
            Further attributes of a new layer.
        """
        layer = self._layers.get(key)
        if layer is not None:
            return self._restyle(key, layer, {'name': name, 'visible': True})
        layer = Vectors(ndim=ndim, **self._common(name), **look)
        if not self._pixels:
            self._zoom.connect(self._on_zoom)
        self._pixels[key] = pixels
        self._widen(layer, pixels)
        return self._keep(key, layer)

    def add_bar(self, layer: Image) -> None:
        """Give an image a colour bar on the canvas, if there is room."""
        layer.colorbar.visible = self._bars

    def release(self) -> None:
        """Say that no layer is in use; call `hide_unused` when some are."""
        self._in_use.clear()

    def hide_unused(self) -> None:
        """Hide what is not in use any more."""
        for key, layer in self._layers.items():
            if key not in self._in_use and layer.visible:
                layer.visible = False

    def show(
        self, layers: list[Layer], *, images_at_back: bool = True
    ) -> None:
        """Put new layers into the viewer; select nothing new.

        Parameters
        ----------
        layers : list of Layer
            Those to show, from the back to the front.
        images_at_back : bool, default: True
            Whether images go behind all there is, so that what a person
            draws and marks stays in sight.
        """
        there = {str(layer.unique_id) for layer in self._viewer.layers}
        new = [x for x in layers if str(x.unique_id) not in there]
        if not new:
            return
        selected = set(self._viewer.layers.selection)
        for layer in new:
            if images_at_back and isinstance(layer, Image):
                self._viewer.layers.insert(0, layer)
            else:
                self._viewer.layers.append(layer)
        self._viewer.layers.selection = selected

    def remove(self) -> None:
        """Take all layers out of the viewer."""
        layers, self._layers = self.layers, {}
        if self._pixels:
            self._zoom.disconnect(self._on_zoom)
            self._pixels.clear()
        self._in_use.clear()
        # napari collects garbage once for all of them, not for each
        with self._host.drawing(), self._viewer.layers.batched_update():
            for layer in layers:
                if layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)

    @property
    def _zoom(self) -> Any:
        return self._viewer.scene.camera.events.zoom

    def _on_zoom(self, event: Any = None) -> None:
        for key, pixels in self._pixels.items():
            self._widen(self._layers[key], pixels)

    def _widen(self, layer: Vectors, pixels: float) -> None:
        """Set the width in voxels; small changes are not worth drawing."""
        dims = self._viewer.dims
        origin = to_world(np.zeros(layer.ndim), dims, layer)
        steps = [
            np.linalg.norm(to_world(unit, dims, layer) - origin)
            for unit in np.eye(layer.ndim)[-2:]
        ]
        zoom = max(float(self._viewer.scene.camera.zoom), 1e-9)
        width = pixels / zoom / float(np.mean(steps))
        if abs(np.log(width / layer.edge_width)) > _NOTICED:
            layer.edge_width = width

    def _keep(self, key: str, layer: Layer) -> Any:
        self._layers[key] = layer
        self._in_use.add(key)
        return layer

    def _restyle(self, key: str, layer: Layer, look: dict[str, Any]) -> Any:
        self._in_use.add(key)
        # shown last: what is invisible need not be drawn again and again
        look['visible'] = look.pop('visible', True)
        for name, value in look.items():
            setattr(layer, name, value)
        return layer

    def _common(self, name: str) -> dict[str, Any]:
        return {
            'name': name,
            'metadata': {METADATA_KEY: {'view': name}},
            **self._placement,
        }
