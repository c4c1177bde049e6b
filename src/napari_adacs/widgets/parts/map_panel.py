"""Which map lies over the image, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.review.map_view import MapView
from napari_adacs.app.review.maps import MAPS
from napari_adacs.app.review.views.base import Option
from napari_adacs.widgets.parts.colour_legend import ColourLegend
from napari_adacs.widgets.parts.option_rows import NumberInput

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.curtain import Curtain
    from napari_adacs.app.review.host import Host
    from napari_adacs.app.session import Run

_NONE = 'no map'
_STEPS = 200
_SETTLE_MS = 60
_OPACITY = Option(
    'opacity', 'Opacity', 'How much of the map is seen.', 50, 0, 100, 1, '%'
)
_THRESHOLD = Option(
    'threshold', 'Threshold', 'Where to look twice, in values of the map.', 0.5
)


class MapPanel(QWidget):
    """Chooses a map, its opacity and its threshold.

    `changed` fires whenever the map looks different.

    Parameters
    ----------
    viewer : ViewerModel
        Where to show it.
    curtain : Curtain
        Shared with the views.
    host : Host
        The window.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        curtain: Curtain,
        host: Host,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.maps = MapView(
            viewer, curtain=curtain, on_change=self._on_change, host=host
        )
        self.combo = QComboBox()
        self.combo.setObjectName('map')
        self.combo.setAccessibleName('map')
        self.opacity = NumberInput(_OPACITY)
        self.threshold = NumberInput(_THRESHOLD)
        self.only = QCheckBox()
        self.contour = QCheckBox()
        self.share = QLabel()
        self.share.setToolTip('Beyond the threshold in the slice shown.')
        self.legend = ColourLegend()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._say_share)
        self._details = QWidget()
        self._lay_out()
        self._connect()
        self._list()

    def set_run(self, run: Run | None) -> None:
        """Offer the maps of another registration."""
        self.maps.set_run(run)
        self._list()

    def next_map(self) -> None:
        """Show the next map; after the last one, none."""
        self.combo.setCurrentIndex(
            (self.combo.currentIndex() + 1) % self.combo.count()
        )

    def toggle_contour(self) -> None:
        """Draw the threshold as a line, or not."""
        self.contour.toggle()

    def close_map(self) -> None:
        """Leave the viewer as it was found."""
        self._settle.stop()
        self.maps.close()
        self._list()

    def _lay_out(self) -> None:
        for widget, option in (
            (self.opacity, _OPACITY),
            (self.threshold, _THRESHOLD),
        ):
            widget.setObjectName(f'map_{option.name}')
            widget.setToolTip(option.tooltip)
        form = QFormLayout(self._details)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self.legend)
        form.addRow(_OPACITY.title, self.opacity)
        form.addRow(_THRESHOLD.title, self.threshold)
        form.addRow(self.contour)
        form.addRow(self.only)
        form.addRow(self.share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.combo)
        layout.addWidget(self._details)
        self.contour.setToolTip('Draw a line where the map crosses it.')
        self.only.setToolTip('Leave the rest of the image uncovered.')

    def _connect(self) -> None:
        self.combo.currentIndexChanged.connect(self._on_chosen)
        self.opacity.changed.connect(self._on_opacity)
        self.threshold.changed.connect(self._on_threshold)
        self.contour.toggled.connect(self._on_contour)
        self.only.toggled.connect(self._on_only)

    def _list(self) -> None:
        self.combo.blockSignals(True)
        self.combo.clear()
        self.combo.addItem(_NONE, '')
        for name in self.maps.names():
            self.combo.addItem(MAPS[name].title, name)
        index = self.combo.findData(self.maps.name or '')
        self.combo.setCurrentIndex(max(0, index))
        self.combo.blockSignals(False)
        self._on_change()

    def _on_chosen(self, index: int) -> None:
        self.maps.show(self.combo.currentData() or None)

    def _on_opacity(self, value: float) -> None:
        self.maps.set_opacity(value / 100)
        self.changed.emit()

    def _on_contour(self, contour: bool) -> None:
        self.maps.set_contour(contour)
        self.changed.emit()

    def _on_threshold(self, value: float) -> None:
        self.maps.set_threshold(value)
        self._show_legend()
        self._say_share()
        self.changed.emit()

    def _on_only(self, only: bool) -> None:
        self.maps.set_only_suspect(only)
        self._show_legend()
        self.changed.emit()

    def _on_change(self) -> None:
        """Show what the map that is on is like."""
        shown = self.maps.shown
        self.changed.emit()
        self._details.setVisible(shown is not None)
        self.combo.setToolTip('Map to lay over the image.')
        self._follow(shown is not None)
        if shown is None:
            self.combo.blockSignals(True)
            self.combo.setCurrentIndex(0)
            self.combo.blockSignals(False)
            return
        self.combo.setToolTip(shown.kind.tooltip)
        low, high = shown.limits
        self.threshold.set_range(low, high, (high - low) / _STEPS)
        self.threshold.set_value(shown.threshold)
        what = f'{shown.kind.noun} is {shown.kind.suspect}'
        self.contour.setText(f'Outline where the {what} it')
        self.only.setText(f'Colour only where the {what} it')
        self._show_legend()
        self._say_share()

    def _show_legend(self) -> None:
        shown, colours = self.maps.shown, self.maps.colormap
        if shown is not None and colours is not None:
            self.legend.show_map(
                colours, shown.limits, self.maps.threshold, shown.kind.unit
            )

    def _say_share(self) -> None:
        share, shown = self.maps.suspect_percent(), self.maps.shown
        self.share.setVisible(share is not None)
        if share is not None and shown is not None:
            side = shown.kind.suspect
            self.share.setText(f'{share:.3g} % of this slice is {side} it.')

    def _follow(self, follow: bool) -> None:
        event = self._viewer.dims.events.current_step
        event.disconnect(self._on_step)
        if follow:
            event.connect(self._on_step)

    def _on_step(self, event: object = None) -> None:
        self._settle.start()
