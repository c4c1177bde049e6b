"""The labels slice by slice, linked to the viewer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_adacs.app.plot_palette import Palette
from napari_adacs.app.slice_view import SliceView
from napari_adacs.widgets.parts.follower import Follower
from napari_adacs.widgets.parts.label_combo import LabelCombo, narrow
from napari_adacs.widgets.parts.legend import Legend
from napari_adacs.widgets.parts.message import Message
from napari_adacs.widgets.parts.take_bar import TakeBar

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.layer_evaluation import LayerEvaluation
    from napari_adacs.widgets.parts.slice_plot import SlicePlot

_NOTHING = 'Press Evaluate to see the labels slice by slice.'
_DISTANCES = (
    ('ASSD', 'assd', 'Mean distance of the surface voxels in each slice.'),
    ('HD', 'hd', 'Largest distance of the surface voxels in each slice.'),
)


class SlicePage(Follower, QWidget):
    """DSC and distance along the axis that the viewer scrolls.

    Parameters
    ----------
    viewer : ViewerModel
        Whose slice to mark, and to change.
    """

    said = Signal(str, object)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._view: SliceView | None = None
        self.plot: SlicePlot | None = None
        self.label = LabelCombo('slice_label', 'Label to plot.', mean=True)
        self.distance = QComboBox()
        self.note = Message('slice_note', 'The slice that the viewer shows.')
        self.take = TakeBar(
            'slices', self._save, {'Copy': lambda: self._text('\t')}
        )
        self._lay_out()
        self.label.changed.connect(self._draw)
        self.distance.currentIndexChanged.connect(self._draw)
        self.take.said.connect(self.said)
        self.note.show_text(_NOTHING)

    def show_evaluation(self, evaluated: LayerEvaluation) -> None:
        """Show another evaluation."""
        self._view = SliceView(self._viewer, evaluated)
        self.label.offer(evaluated.evaluation)
        self.take.set_ready(self._view.has_slices)
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Draw what came while the page was hidden."""
        super().showEvent(event)
        self._draw()

    def _lay_out(self) -> None:
        self.distance.setObjectName('slice_distance')
        self.distance.setAccessibleName('distance to plot')
        for text, key, tooltip in _DISTANCES:
            self.distance.addItem(text, key)
            self.distance.setItemData(self.distance.count() - 1, tooltip, 3)
        self.distance.setToolTip('Which surface distance to plot.')
        narrow(self.distance)
        row = QHBoxLayout()
        row.addWidget(self.label, 1)
        row.addWidget(self.distance)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 6, 0, 0)
        self._layout.addLayout(row)
        self._layout.addWidget(self.note)
        self._layout.addWidget(self.take)
        self._layout.addStretch(1)

    def _ready_plot(self) -> SlicePlot:
        """Return the plot; the first one loads the plot library."""
        if self.plot is None:
            from napari_adacs.widgets.parts.slice_plot import SlicePlot

            palette = Palette.of(self._viewer)
            self.plot = SlicePlot(palette)
            self.plot.pointed.connect(self._go_to)
            legend = Legend(
                [
                    ('before', palette.before, 'dashed'),
                    ('after', palette.after, 'solid'),
                ]
            )
            self._layout.insertWidget(1, legend)
            self._layout.insertWidget(2, self.plot)
        return self.plot

    def _draw(self, *_: object) -> None:
        """Draw the chosen curves along the axis of the viewer."""
        if self._view is None or not self.isVisible():
            return
        if not self._view.has_slices:
            self.note.show_text(self._view.sentence(None, 'assd'))
            return
        metric = self.distance.currentData()
        label = self.label.value()
        self._ready_plot().show_curves(
            self._view.curves(label),
            metric,
            self._view.distance_title(metric),
            self._view.axis_title(),
        )
        self._mark()

    def _mark(self, *_: object) -> None:
        """Mark the slice that the viewer shows."""
        if self._view is None or self.plot is None or not self.isVisible():
            return
        self.plot.set_cursor(self._view.index)
        self.note.show_text(
            self._view.sentence(
                self.label.value(), self.distance.currentData()
            )
        )

    def _go_to(self, place: float) -> None:
        if self._view is not None:
            self._view.go_to(place)

    def _restyle(self, *_: object) -> None:
        """Start anew in the colours of another theme."""
        if self.plot is not None:
            for old in (self._layout.takeAt(1), self._layout.takeAt(1)):
                old.widget().deleteLater()
            self.plot = None
            self._draw()

    def _connections(self) -> tuple:
        dims = self._viewer.dims.events
        return (
            (dims.point, self._mark),
            (dims.order, self._draw),
            (dims.ndisplay, self._draw),
            (self._viewer.events.theme, self._restyle),
        )

    def _save(self, path: str | os.PathLike[str]) -> None:
        if self._view is not None:
            self._view.save(Path(path))

    def _text(self, _: str) -> str:
        return '' if self._view is None else self._view.tab_separated()
