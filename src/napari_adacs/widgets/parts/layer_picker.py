"""A combo box that follows the layer list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class LayerPicker(QComboBox):
    """Lets a person choose one layer of a type.

    Layers are remembered by their `unique_id`, so renaming and reordering
    change nothing; deleting the chosen one does. `layer_changed` fires when
    another layer is chosen, by hand or because the list changed; `listed`
    whenever the layers were listed anew.

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

    layer_changed = Signal()
    listed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        kind: type[Layer],
        nothing: str | None = None,
        accept: Callable[[Layer], bool] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._kind = kind
        self._nothing = nothing
        self._accept = accept or _any
        self._following = False
        # Long file names must not make the dock wide.
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(8)
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.currentIndexChanged.connect(self._on_index_changed)
        self.follow()

    def follow(self) -> None:
        """Follow the layer list from now on."""
        if not self._following:
            self._following = True
            for event in self._events():
                event.connect(self.reset_choices)
        self.reset_choices()

    def unfollow(self) -> None:
        """Leave the layer list alone."""
        if self._following:
            self._following = False
            for event in self._events():
                event.disconnect(self.reset_choices)

    def layer(self) -> Layer | None:
        """Return the chosen layer, or None."""
        key = self.currentData()
        for layer in self._layers():
            if str(layer.unique_id) == key:
                return layer
        return None

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer; one that is not listed is ignored."""
        index = self._index_of('' if layer is None else str(layer.unique_id))
        if index >= 0:
            self.setCurrentIndex(index)

    def reset_choices(self, event: object = None) -> None:
        """List the layers anew and keep the choice if it still exists."""
        before = self.currentData()
        self.blockSignals(True)
        self.clear()
        if self._nothing is not None:
            self.addItem(self._nothing, '')
        for layer in self._layers():
            self.addItem(layer.name, str(layer.unique_id))
        index = self._index_of(before)
        self.setCurrentIndex(index if index >= 0 else min(0, self.count() - 1))
        self.blockSignals(False)
        if self.currentData() != before:
            self._on_index_changed()
        self.listed.emit()

    def _on_index_changed(self, index: int = -1) -> None:
        self.setToolTip(self.currentText())
        self.layer_changed.emit()

    def _index_of(self, key: str | None) -> int:
        keys = [self.itemData(i) for i in range(self.count())]
        return keys.index(key) if key in keys else -1

    def _layers(self) -> list[Layer]:
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, self._kind) and self._accept(layer)
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
