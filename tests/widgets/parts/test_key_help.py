"""The sheet of keys lists what is bound."""

from __future__ import annotations

from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_adacs.app.review.keys import KeySet
from napari_adacs.widgets.parts.key_help import KeyHelp


def test_keys_are_listed_by_section_until_clicked_away(
    qtbot: QtBot, viewer_model: ViewerModel
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 400)
    anchor = QWidget(window)
    keys = KeySet(viewer_model)
    keys.add('Views', {'Alt-1': ('Overlay.', lambda: None)})
    help_sheet = KeyHelp(keys, anchor)
    help_sheet.toggle()
    assert not help_sheet.isHidden()
    assert help_sheet.texts() == ['Views', 'Alt-1', 'Overlay.']
    assert help_sheet.parentWidget() is window
    keys.add('Slices', {'N': ('Next.', lambda: None)})
    help_sheet.toggle()
    help_sheet.toggle()
    assert help_sheet.texts()[-3:] == ['Slices', 'N', 'Next.']
    qtbot.mouseClick(help_sheet, Qt.MouseButton.LeftButton)
    assert help_sheet.isHidden()
