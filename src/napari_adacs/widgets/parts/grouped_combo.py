"""Many entries of a box, under headings."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QComboBox

from napari_adacs.app.choices import Choice


def fill_grouped(
    combo: QComboBox, choices: Sequence[Choice], chosen: object = None
) -> None:
    """Show choices in place of what a box has shown.

    Where they belong to more than one group, each group has a heading that
    cannot be chosen.

    Parameters
    ----------
    combo : QComboBox
        The box.
    choices : sequence of Choice
        What to show, sorted by group.
    chosen : object, optional
        Value of the choice to begin with; the first one if it is not there.
    """
    combo.clear()
    headed = len({choice.group for choice in choices if choice.group}) > 1
    group = ''
    for choice in choices:
        if headed and choice.group not in (group, ''):
            _add_heading(combo, choice.group)
        group = choice.group
        combo.addItem(choice.text, choice.value)
        combo.setItemData(
            combo.count() - 1, choice.tooltip, Qt.ItemDataRole.ToolTipRole
        )
    values = [choice.value for choice in choices]
    value = chosen if chosen in values else next(iter(values), None)
    combo.setCurrentIndex(combo.findData(value))


def _add_heading(combo: QComboBox, text: str) -> None:
    combo.addItem(text)
    model = combo.model()
    if isinstance(model, QStandardItemModel):
        heading = model.item(combo.count() - 1)
        heading.setFlags(Qt.ItemFlag.NoItemFlags)
        font = combo.font()
        font.setBold(True)
        heading.setFont(font)
