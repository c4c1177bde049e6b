"""Losses, momentum and validation over the steps; loads pyqtgraph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyqtgraph as pg
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QWidget

from napari_adacs.app.finetune.curves import logarithmic, thinned, title_of
from napari_adacs.app.plot_palette import FURTHER
from napari_adacs.widgets.parts.plot import Plot, draw

if TYPE_CHECKING:
    from napari_adacs.app.finetune.curves import Figures, Panel
    from napari_adacs.app.plot_palette import Palette

_PANEL_HEIGHT = 130
# Room for small losses beside the title.
_LEFT = 58
_DASHES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
# The same as text.
_SIGNS = '—', '– –', '···', '–·–'


class TrainingPlot(Plot):
    """Panels below each other, with the same steps."""

    def __init__(
        self, palette: Palette, parent: QWidget | None = None
    ) -> None:
        super().__init__(palette, _PANEL_HEIGHT, parent)
        self.setObjectName('training_plot')
        self.setAccessibleName('losses and validation over the steps')
        self._panels: tuple[Panel, ...] = ()
        self._figures: Figures = {}
        self._axes: list[pg.PlotItem] = []
        self.curves: dict[str, pg.PlotDataItem] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._go_on)

    def show_figures(self, panels: Sequence[Panel], figures: Figures) -> None:
        """Show these panels of these figures; new panels one by one."""
        self._figures = figures
        if tuple(panels) != self._panels:
            self._begin(tuple(panels))
        if not self._soon.isActive():
            self._go_on()

    def _go_on(self) -> None:
        """Add a panel, for which the window waits some time, or draw."""
        if len(self._axes) < len(self._panels):
            self._add(len(self._axes))
            self._soon.start()
        else:
            self._draw()

    def _draw(self) -> None:
        self._show_all_steps()
        for axes, panel in zip(self._axes, self._panels, strict=True):
            thin = {name: thinned(self._figures[name]) for name in panel.names}
            log = panel.title == 'loss' and logarithmic(
                y for _, y in thin.values()
            )
            self._set_log(axes, log)
            for name, (x, y) in thin.items():
                draw(self.curves[name], x, y)
        self.settle()

    def _show_all_steps(self) -> None:
        """Let linked axes begin with validation, also before step one."""
        names = [name for panel in self._panels for name in panel.names]
        steps = [self._figures[name].steps for name in names]
        ends = [(s[0], s[-1]) for s in steps if len(s)]
        if self._axes and ends:
            first, last = min(e[0] for e in ends), max(e[1] for e in ends)
            self._axes[0].setXRange(float(first), float(last), padding=0.02)

    def _set_log(self, axes: pg.PlotItem, log: bool) -> None:
        left = axes.getAxis('left')
        if left.logMode != log:
            axes.setLogMode(False, log)
            # of a logarithmic axis only the decades have room
            left.setStyle(maxTextLevel=0 if log else 2)

    def _begin(self, panels: tuple[Panel, ...]) -> None:
        self.ci.clear()
        self._panels, self._axes, self.curves = panels, [], {}
        height = _PANEL_HEIGHT * max(1, len(panels)) + 24
        self._height = height
        self.setFixedHeight(height)

    def _add(self, row: int) -> None:
        panel = self._panels[row]
        bottom = 'step' if row == len(self._panels) - 1 else ''
        axes = self.add_axes(row, panel.title, bottom)
        axes.getAxis('left').setWidth(_LEFT)
        if len(panel.names) > 1:
            axes.setTitle(self._legend(panel), size='8pt')
        if row:
            axes.setXLink(self._axes[0])
        self._axes.append(axes)
        for index, name in enumerate(panel.names):
            self.curves[name] = self._curve(axes, index, name)

    def _legend(self, panel: Panel) -> str:
        """Return the names of the curves; above them, it hides none."""
        return ' &nbsp; '.join(
            f'<span style="color:{self._look(index)[0]}">'
            f'{_SIGNS[index // 2 % len(_SIGNS)]} {title_of(name)}</span>'
            for index, name in enumerate(panel.names)
        )

    def _look(self, index: int) -> tuple[str, Qt.PenStyle]:
        """Return colour and dashes of a curve."""
        palette = self.palette_used
        colours = (palette.after, palette.before, *FURTHER)
        return colours[index % len(colours)], _DASHES[
            index // 2 % len(_DASHES)
        ]

    def _curve(
        self, axes: pg.PlotItem, index: int, name: str
    ) -> pg.PlotDataItem:
        colour, dashes = self._look(index)
        pen = pg.mkPen(colour, width=2, style=dashes)
        curve = axes.plot(pen=pen, connect='finite', name=title_of(name))
        # validation is a few points; losses are many
        curve.setDownsampling(auto=True)
        return curve
