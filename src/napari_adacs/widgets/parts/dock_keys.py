"""The keys of a dock, while the dock itself has the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_adacs.app.review.keys import Keys


def add_shortcuts(dock: QWidget, keys: Keys) -> list[QShortcut]:
    """Let keys work in a dock as they do in the viewer.

    napari hears keys only while its canvas has the keyboard. Text fields
    come first: what can be typed is typed.

    Parameters
    ----------
    dock : QWidget
        Where they work, in all its parts.
    keys : mapping of str to (str, callable)
        As for `KeySet.add`.
    """
    shortcuts = []
    for key, (_, action) in keys.items():
        sequence = QKeySequence(key.replace('-', '+'))
        shortcut = QShortcut(sequence, dock)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(action)
        shortcuts.append(shortcut)
    return shortcuts
