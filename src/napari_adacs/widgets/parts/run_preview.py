"""The preview pair of a run: whether to show it, and whether it stays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from napari_adacs.app.finetune.preview_layers import PreviewLayers
from napari_adacs.widgets.parts.canvas_host import host_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.finetune.preview_picture import Picture

# Between two new layers, so that the window breathes.
_PAUSE_MS = 5
# Where no graphics card draws it, a canvas takes a tenth of a second.
_SHOW_EVERY_S = 2.0


class RunPreview(QWidget):
    """Shows what the networks of a run make of one held-out pair.

    `wanted` fires with whether previews are to be read.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are shown.
    """

    wanted = Signal(bool)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layers: PreviewLayers | None = None
        self._last: Picture | None = None
        self._newest: Picture | None = None
        self._steps: Iterator[object] = iter(())
        self._shown = float('-inf')
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._take_a_step)
        self.show_it = QCheckBox('Show a preview pair')
        self.show_it.setObjectName('show_preview')
        self.show_it.setChecked(True)
        self.show_it.setToolTip(
            'One of the held-out pairs, registered again at each validation.'
        )
        self.keep_it = QCheckBox('Keep its layers')
        self.keep_it.setObjectName('keep_preview')
        self.keep_it.setToolTip(
            'Leave the layers of the preview in the viewer at the end.'
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.show_it)
        row.addWidget(self.keep_it)
        row.addStretch(1)
        self.show_it.toggled.connect(self._on_toggled)
        self.hide()

    def begin(self, run: str) -> None:
        """Show the preview of another run; '' for none."""
        self.drop()
        self._last, self._shown = None, float('-inf')
        self._layers = PreviewLayers(self._viewer, run) if run else None
        self.setVisible(False)

    def show_picture(self, picture: Picture) -> None:
        """Show a picture soon: the newest, if several come at once."""
        self._last = self._newest = picture
        if not self._timer.isActive():
            wait = max(0.0, self._shown + _SHOW_EVERY_S - time.monotonic())
            self._timer.start(round(1e3 * wait))

    def end(self) -> None:
        """Take the layers away, or leave them to the person."""
        if self.keep_it.isChecked() and self._layers is not None:
            self._finish()
            self._layers.keep()
        else:
            self.drop()

    def drop(self) -> None:
        """Take the layers away at once."""
        self._forget()
        if self._layers is not None and self._layers.layers():
            with host_of(self).drawing():
                self._layers.remove()

    def _take_a_step(self) -> None:
        """Show another layer, then let the window breathe."""
        if self._layers is None:
            return
        if self._newest is not None:
            self._steps = self._layers.show(self._newest)
            self._newest = None
            self._shown = time.monotonic()
        if next(self._steps, None) is not None:
            self._timer.start(_PAUSE_MS)

    def _finish(self) -> None:
        """Show at once what is still to be shown."""
        while self._timer.isActive():
            self._timer.stop()
            self._take_a_step()

    def _forget(self) -> None:
        self._timer.stop()
        self._newest, self._steps = None, iter(())

    def _on_toggled(self, on: bool) -> None:
        self.wanted.emit(on)
        if not on:
            self.drop()
        elif self._last is not None:
            self.show_picture(self._last)
