"""The curves of a run, and which of them to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.finetune.curves import (
    FIRST,
    meaning_of,
    panels,
    terms,
    title_of,
)
from napari_adacs.app.plot_palette import Palette
from napari_adacs.widgets.parts.follower import Connection, Follower

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.finetune.curves import Figures
    from napari_adacs.widgets.parts.training_plot import TrainingPlot


class TrainingCurves(Follower, QWidget):
    """Hidden until there are figures.

    Parameters
    ----------
    viewer : ViewerModel
        Says which theme there is.
    """

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._figures: Figures = {}
        self._chosen = set(FIRST)
        self._drawn: object = None
        self.plot: TrainingPlot | None = None
        self.button = QToolButton()
        self.button.setObjectName('choose_curves')
        self.button.setText('Losses…')
        self.button.setToolTip('Choose which terms of the losses to draw.')
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setSizePolicy(
            QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed
        )
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.button.setMenu(self.menu)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.button)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addLayout(row)
        self.hide()

    def show_figures(self, figures: Figures) -> None:
        """Show the figures of a run as they are now; none hides all."""
        # drawing costs some milliseconds each time
        sizes = {name: len(curve.steps) for name, curve in figures.items()}
        state = (sizes, frozenset(self._chosen))
        if state == self._drawn:
            return
        self._figures, self._drawn = figures, state
        self._offer(terms(figures))
        drawn = panels(figures, self._chosen)
        self.setVisible(bool(figures))
        if not drawn:
            return
        if self.plot is None:
            self.plot = self._new_plot()
            self._layout.addWidget(self.plot)
        self.plot.show_figures(drawn, figures)

    def _connections(self) -> list[Connection]:
        return [(self._viewer.events.theme, self._restyle)]

    def _new_plot(self) -> TrainingPlot:
        from napari_adacs.widgets.parts.training_plot import TrainingPlot

        return TrainingPlot(Palette.of(self._viewer))

    def _restyle(self, event: object = None) -> None:
        if self.plot is not None:
            self._layout.removeWidget(self.plot)
            self.plot.deleteLater()
            self.plot = self._drawn = None
            self.show_figures(self._figures)

    def _offer(self, names: list[str]) -> None:
        if names == [action.data() for action in self.menu.actions()]:
            return
        self.menu.clear()
        for name in names:
            action = self.menu.addAction(title_of(name))
            action.setData(name)
            action.setToolTip(meaning_of(name) or title_of(name))
            action.setCheckable(True)
            action.setChecked(name in self._chosen)
            action.toggled.connect(
                lambda on, name=name: self._choose(name, on)
            )

    def _choose(self, name: str, on: bool) -> None:
        (self._chosen.add if on else self._chosen.discard)(name)
        self.show_figures(self._figures)
