"""A combo box of the layers of one kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from napari_adacs.app.result_layers import is_view_layer
from napari_adacs.widgets.parts.following_combo import FollowingCombo

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class LayerPicker(FollowingCombo):
    """Lets a person choose one layer of a type; views are no choice.

    Layers are remembered by their `unique_id`, so renaming and reordering
    change nothing; deleting the chosen one does.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers to list.
    kind : type
        Layer class to list.
    nothing : str, optional
        Text of an entry for no layer; without it there is none.
    accept : callable, optional
        Says of a layer of that type whether to list it.
    parent : QWidget, optional
        Qt parent.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        kind: type[Layer],
        nothing: str | None = None,
        accept: Callable[[Layer], bool] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(viewer, parent)
        self._kind = kind
        self._nothing = nothing
        self._accept = accept or _any
        self.follow()

    def layer(self) -> Layer | None:
        """Return the chosen layer, or None."""
        key = self.currentData()
        for layer in self._layers():
            if str(layer.unique_id) == key:
                return layer
        return None

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer; one that is not listed is ignored."""
        self.choose_key('' if layer is None else str(layer.unique_id))

    def _entries(self) -> list[tuple[str, str]]:
        nothing = [] if self._nothing is None else [(self._nothing, '')]
        layers = [(x.name, str(x.unique_id)) for x in self._layers()]
        return [*nothing, *layers]

    def _layers(self) -> list[Layer]:
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, self._kind)
            and self._accept(layer)
            and not is_view_layer(layer)
        ]

    def _events(self) -> tuple[Any, ...]:
        events = self._viewer.layers.events
        return (
            events.inserted,
            events.removed,
            events.reordered,
            events.renamed,
        )


def _any(layer: Layer) -> bool:
    return True
