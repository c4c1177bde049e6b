"""The visible layers of one viewer, shown in another without copying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Layer

from napari_adacs.app.result_layers import is_view_layer
from napari_adacs.app.review.host import Host

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.utils.events import Event

_FOLLOWED = (
    'opacity',
    'blending',
    'contrast_limits',
    'colormap',
    'gamma',
    'interpolation2d',
    'contour',
    'scale',
    'translate',
    'rotate',
    'shear',
    'affine',
    'data',
)


class Mirror:
    """Keeps a viewer showing what another one shows, but for views.

    A layer is mirrored when it is visible first; its twin shares its data.

    Parameters
    ----------
    home : ViewerModel
        Where the layers are.
    model : ViewerModel
        Where their twins are put.
    host : Host, optional
        The canvas of `model`.
    """

    def __init__(
        self,
        home: ViewerModel,
        model: ViewerModel,
        host: Host | None = None,
    ) -> None:
        self._home = home
        self._host = host or Host()
        self._model = model
        self._twins: dict[str, Layer] = {}
        self._followed: dict[str, Layer] = {}
        events = home.layers.events
        events.inserted.connect(self._on_inserted)
        events.removed.connect(self._on_removed)
        events.reordered.connect(self._sort)
        for layer in home.layers:
            self._follow(layer)

    def close(self) -> None:
        """Let go of both viewers."""
        events = self._home.layers.events
        events.inserted.disconnect(self._on_inserted)
        events.removed.disconnect(self._on_removed)
        events.reordered.disconnect(self._sort)
        with self._host.drawing(), self._model.layers.batched_update():
            for key in list(self._followed):
                self._unfollow(key)

    def _follow(self, layer: Layer) -> None:
        if is_view_layer(layer):
            return
        self._followed[str(layer.unique_id)] = layer
        layer.events.visible.connect(self._on_visible)
        for name in self._properties(layer):
            getattr(layer.events, name).connect(self._on_property)
        if 'paint' in layer.events.emitters:
            layer.events.paint.connect(self._on_painted)
        self._show(layer)

    def _unfollow(self, key: str) -> None:
        layer = self._followed.pop(key)
        layer.events.visible.disconnect(self._on_visible)
        for name in self._properties(layer):
            getattr(layer.events, name).disconnect(self._on_property)
        if 'paint' in layer.events.emitters:
            layer.events.paint.disconnect(self._on_painted)
        self._drop(key)

    def _show(self, layer: Layer) -> None:
        """Give a layer its twin once it is visible."""
        twin = self._twins.get(str(layer.unique_id))
        if twin is not None:
            # to remove it would cost a full garbage collection
            twin.visible = layer.visible
        elif layer.visible:
            twin = Layer.create(*layer.as_layer_data_tuple())
            # a twin is no result of its own
            twin.metadata = {}
            self._twins[str(layer.unique_id)] = twin
            self._model.layers.append(twin)
            self._sort()

    def _drop(self, key: str) -> None:
        twin = self._twins.pop(key, None)
        if twin is not None and twin in self._model.layers:
            with self._host.drawing():
                self._model.layers.remove(twin)

    def _sort(self, event: Any = None) -> None:
        """Put the twins into the order of the layers."""
        keys = [str(layer.unique_id) for layer in self._home.layers]
        wanted = [self._twins[key] for key in keys if key in self._twins]
        layers = self._model.layers
        places = sorted(layers.index(twin) for twin in wanted)
        for place, twin in zip(places, wanted, strict=True):
            if layers.index(twin) != place:
                layers.move(layers.index(twin), place)

    def _on_inserted(self, event: Event) -> None:
        self._follow(event.value)

    def _on_removed(self, event: Event) -> None:
        key = str(event.value.unique_id)
        if key in self._followed:
            self._unfollow(key)

    def _on_visible(self, event: Event) -> None:
        self._show(event.source)

    def _on_property(self, event: Event) -> None:
        twin = self._twins.get(str(event.source.unique_id))
        if twin is not None:
            setattr(twin, event.type, getattr(event.source, event.type))

    def _on_painted(self, event: Event) -> None:
        twin = self._twins.get(str(event.source.unique_id))
        if twin is not None:
            twin.refresh()

    @staticmethod
    def _properties(layer: Layer) -> list[str]:
        emitters = layer.events.emitters
        return [
            name
            for name in _FOLLOWED
            if name in emitters and hasattr(layer, name)
        ]
