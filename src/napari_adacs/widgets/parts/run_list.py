"""The list of all runs that there are."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

from napari_adacs.app.finetune.states import run_title, run_tooltip
from napari_adacs.app.finetune.watch import Listed

_NONE = 'no runs yet'
_LETTERS = 14


class RunList(QComboBox):
    """Newest first; `chosen` fires with the folder that a person picks."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName('runs')
        self.setAccessibleName('training runs')
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(_LETTERS)
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.addItem(_NONE, None)
        self.activated.connect(lambda _: self.chosen.emit(self.currentData()))

    def show_runs(self, listed: list[Listed], here: Path | None) -> None:
        """List the runs that there are now.

        Parameters
        ----------
        listed : list of Listed
            Newest first.
        here : Path or None
            Folder of the run that is shown.
        """
        shown = [(run_title(run), run.folder) for run in listed]
        now = [
            (self.itemText(i), self.itemData(i)) for i in range(self.count())
        ]
        if shown and shown == now and here is not None:
            return  # an open list would close
        self.blockSignals(True)
        self.clear()
        for index, run in enumerate(listed):
            self.addItem(run_title(run), run.folder)
            tooltip = Qt.ItemDataRole.ToolTipRole
            self.setItemData(index, run_tooltip(run), tooltip)
        if not listed:
            self.addItem(_NONE, None)
        folders = [run.folder for run in listed]
        self.setCurrentIndex(folders.index(here) if here in folders else 0)
        self.blockSignals(False)
