"""A narrow combo box whose entries follow the layers of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

from napari_adacs.widgets.parts.follower import Connection, Follower

if TYPE_CHECKING:
    from napari.components import ViewerModel

_SHOWN_LETTERS = 8


class FollowingCombo(Follower, QComboBox):
    """Lists what a viewer has; entries are remembered by their key.

    `changed` fires when another entry is chosen, by hand or because the list
    changed; `listed` whenever the entries were listed anew. Subclasses say
    what there is in `_entries` and which events tell of changes in
    `_events`.

    Parameters
    ----------
    viewer : ViewerModel
        What to follow.
    parent : QWidget, optional
        Qt parent.
    """

    changed = Signal()
    listed = Signal()

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        # Long names must not make the dock wide.
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(_SHOWN_LETTERS)
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.currentIndexChanged.connect(self._on_index_changed)

    def follow(self) -> None:
        """Follow the viewer from now on."""
        super().follow()
        self.reload()

    def choose_key(self, key: str) -> None:
        """Choose an entry; one that is not listed is ignored."""
        if key in self._keys():
            self.setCurrentIndex(self._keys().index(key))

    def reload(self) -> None:
        """List what there is now; the choice stays if it still exists."""
        before, keys = self.currentData(), self._keys()
        self.blockSignals(True)
        self.clear()
        for text, key in self._entries():
            self.addItem(text, key)
        wanted = self._wanted(before, keys)
        listed = self._keys()
        first = min(0, self.count() - 1)
        self.setCurrentIndex(
            listed.index(wanted) if wanted in listed else first
        )
        self.blockSignals(False)
        if self.currentData() != before:
            self._on_index_changed()
        self.listed.emit()

    def _entries(self) -> list[tuple[str, str]]:
        """Return text and key of all entries."""
        raise NotImplementedError

    def _events(self) -> tuple[Any, ...]:
        """Return the events of the viewer after which to list anew."""
        raise NotImplementedError

    def _wanted(self, chosen: str | None, keys: list[str]) -> str | None:
        """Return the key to choose; `chosen` and `keys` are from before."""
        return chosen

    def _connections(self) -> list[Connection]:
        return [(event, self._on_event) for event in self._events()]

    def _on_event(self, event: Any) -> None:
        self.reload()

    def _keys(self) -> list[str]:
        return [self.itemData(i) for i in range(self.count())]

    def _on_index_changed(self, index: int = -1) -> None:
        self.setToolTip(self.currentText())
        self.changed.emit()
