"""A combo box of the registrations that a viewer shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

from napari_adacs.app import session
from napari_adacs.app.result_layers import tag

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.session import Run

_NOTHING = 'none (before only)'
# Layers of a result arrive one by one, and are a result when all are there.
_SETTLE_MS = 200


class RunPicker(QComboBox):
    """Lets a person choose a registration, newest first, or none.

    `run_changed` fires when another one is chosen, by hand or because a new
    one came, which is chosen at once.

    Parameters
    ----------
    viewer : ViewerModel
        Whose registrations to list.
    """

    run_changed = Signal()

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._following = False
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.reload)
        self.setObjectName('registration')
        self.setAccessibleName('registration')
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(8)
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.reload()
        self.currentIndexChanged.connect(self._on_index_changed)

    def follow(self) -> None:
        """Follow the viewer's layers from now on."""
        if not self._following:
            self._following = True
            for event in self._events():
                event.connect(self._on_layers)
        self.reload()

    def unfollow(self) -> None:
        """Leave the viewer's layers alone."""
        if self._following:
            self._following = False
            self._settle.stop()
            for event in self._events():
                event.disconnect(self._on_layers)

    def run(self) -> Run | None:
        """Return the chosen registration, or None."""
        return session.recall(self.currentData() or '')

    def reload(self) -> None:
        """List what the viewer has; a registration that is new is chosen."""
        before = self._keys()
        chosen = self.currentData()
        runs = session.runs_in(self._viewer)
        keys = [run.group_id for run in runs]
        if [*keys, ''] == before:
            return
        self.blockSignals(True)
        self.clear()
        for run in runs:
            self.addItem(run.title, run.group_id)
        self.addItem(_NOTHING, '')
        new = [key for key in keys if key not in before]
        self.setCurrentIndex(max(0, self.findData(new[0] if new else chosen)))
        self.blockSignals(False)
        self._on_index_changed()

    def showPopup(self) -> None:  # noqa: N802
        """Look again before the list opens."""
        self.reload()
        super().showPopup()

    def _keys(self) -> list[str]:
        return [self.itemData(i) for i in range(self.count())]

    def _on_layers(self, event: object) -> None:
        if tag(event.value) is not None or event.type == 'removed':
            self._settle.start()

    def _on_index_changed(self, index: int = -1) -> None:
        self.setToolTip(self.currentText())
        self.run_changed.emit()

    def _events(self) -> tuple[object, ...]:
        events = self._viewer.layers.events
        return events.inserted, events.removed
