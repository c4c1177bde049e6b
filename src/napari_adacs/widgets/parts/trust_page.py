"""Does the shown map know where the errors are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_adacs.app.plot_palette import Palette
from napari_adacs.app.trust_curve import (
    Region,
    TrustTable,
    maps_of,
    shown_map,
    trust_curve,
    trust_request,
    uncertainty_name,
)
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.follower import Connection, Follower
from napari_adacs.widgets.parts.label_combo import narrow
from napari_adacs.widgets.parts.legend import Legend
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.take_bar import TakeBar
from napari_adacs.widgets.parts.worker import Done, Failed, Outcome, Runner

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.layers import LayerImage
    from napari_adacs.app.session import Run
    from napari_adacs.widgets.parts.trust_plot import TrustPlot

_NO_RUN = 'Choose a registration above to judge its maps.'
_NO_MAP = (
    'The model of this registration predicts neither a variance nor a score.'
)


class TrustPage(Follower, QWidget):
    """Sparsification of the variance or score of the chosen registration.

    Parameters
    ----------
    viewer : ViewerModel
        Which shows the maps.
    """

    said = Signal(str, object)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._run: Run | None = None
        self._labels: LayerImage | None = None
        self._shown: object = None
        self.table: TrustTable | None = None
        self.plot: TrustPlot | None = None
        self.map = QComboBox()
        self.region = QComboBox()
        self.note = Message('trust_note', 'Areas between the curves.')
        self.take = TakeBar(
            'sparsification',
            lambda path: self.table and self.table.save(path),
            {'Copy': lambda: self.table.text() if self.table else ''},
        )
        self._runner = Runner(self)
        self._lay_out()
        self.map.currentIndexChanged.connect(self._start)
        self.region.currentIndexChanged.connect(self._start)
        self._runner.ended.connect(self._on_ended)
        self.take.said.connect(self.said)
        self.choose(None, None)

    @property
    def busy(self) -> bool:
        """Whether curves are being computed."""
        return self._runner.running

    def choose(self, run: Run | None, labels: LayerImage | None) -> None:
        """Judge the maps of another registration.

        Parameters
        ----------
        run : Run or None
            The registration.
        labels : LayerImage or None
            The fixed labels, one of the regions.
        """
        same = run is self._run
        self._run, self._labels = run, labels
        if not same or run is None:
            self._offer_maps()
        self._start()

    def unfollow(self) -> None:
        """Leave the viewer alone, and let go of what is running."""
        self._runner.abandon()
        self._shown = None
        super().unfollow()

    def _connections(self) -> list[Connection]:
        return [(self._viewer.events.theme, self._restyle)]

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Compute what was chosen while the page was hidden."""
        super().showEvent(event)
        self._start()

    def _lay_out(self) -> None:
        for combo, name, about in (
            (self.map, 'trust_map', 'Map to judge, as an uncertainty.'),
            (self.region, 'trust_region', 'Which voxels to look at.'),
        ):
            combo.setObjectName(name)
            combo.setAccessibleName(name.replace('_', ' '))
            combo.setToolTip(about)
            narrow(combo, 8)
        for region in Region:
            self.region.addItem(str(region), region)
        row = QHBoxLayout()
        row.addWidget(self.map, 1)
        row.addWidget(self.region, 1)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 6, 0, 0)
        self._layout.addLayout(row)
        self._layout.addWidget(self.note)
        self._layout.addWidget(self.take)
        self._layout.addStretch(1)

    def _offer_maps(self) -> None:
        run = self._run
        self.map.blockSignals(True)
        self.map.clear()
        for role in [] if run is None else maps_of(run):
            self.map.addItem(uncertainty_name(role), role)
        if run is not None:
            shown = shown_map(self._viewer, run)
            self.map.setCurrentIndex(max(0, self.map.findData(shown)))
        self.map.blockSignals(False)

    def _start(self, *_: object) -> None:
        """Compute the curves in a worker; the newest choice wins."""
        if not self.isVisible():
            return
        run, role = self._run, self.map.currentData()
        region = self.region.currentData()
        chosen = (run, role, region, self._labels)
        if chosen == self._shown:
            return
        self._runner.abandon()
        self._shown = chosen
        if run is None or role is None:
            self._show_nothing(_NO_RUN if run is None else _NO_MAP)
            return
        try:
            request = trust_request(
                self._viewer, run, role, region, self._labels
            )
        except AdacsError as error:
            self._show_nothing(str(error), Kind.WARNING)
            return
        self.note.show_text('Sorting voxels…')
        self._runner.start(partial(trust_curve, request))

    def _on_ended(self, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            self.table = outcome.value
            self._ready_plot().show_curves(self.table.curves)
            self.plot.show()
            self._legend.show()
            self.note.show_text(self.table.sentence())
            self.take.set_ready(True)
        elif isinstance(outcome, Failed):
            self._show_nothing(outcome.sentence, Kind.WARNING)

    def _restyle(self, *_: object) -> None:
        """Start anew in the colours of another theme."""
        if self.plot is not None:
            for old in (self._legend, self.plot):
                self._layout.removeWidget(old)
                old.deleteLater()
            self.plot = None
            self._shown = None
            self._start()

    def _show_nothing(self, sentence: str, kind: Kind = Kind.INFO) -> None:
        self.table = None
        self.note.show_text(sentence, kind)
        self.take.set_ready(False)
        if self.plot is not None:
            self.plot.hide()
            self._legend.hide()

    def _ready_plot(self) -> TrustPlot:
        """Return the plot; the first one loads the plot library."""
        if self.plot is None:
            from napari_adacs.widgets.parts.trust_plot import TrustPlot

            palette = Palette.of(self._viewer)
            self.plot = TrustPlot(palette)
            self._legend = Legend(
                [
                    ('map', palette.after, 'solid'),
                    ('oracle', palette.before, 'dashed'),
                    ('random', palette.text, 'dotted'),
                ]
            )
            self._layout.insertWidget(1, self._legend)
            self._layout.insertWidget(2, self.plot)
        return self.plot
