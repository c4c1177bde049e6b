"""Tabs that are as high as the page that is shown."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QTabBar, QVBoxLayout, QWidget


class Tabs(QWidget):
    """Pages of different heights in a dock that scrolls.

    `QTabWidget` is as high as its highest page, and does not follow text
    that wraps. `changed` fires when another page is shown.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = QTabBar()
        self.bar.setObjectName('evaluation_tabs')
        self.bar.setAccessibleName('what to look at')
        self.bar.setDrawBase(False)
        self.bar.setExpanding(True)
        # rather short titles than hidden pages
        self.bar.setUsesScrollButtons(False)
        self.bar.setElideMode(Qt.TextElideMode.ElideRight)
        self.pages: list[QWidget] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 8, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self.bar)
        self.bar.currentChanged.connect(self._on_changed)

    def add_page(self, page: QWidget, title: str, tooltip: str) -> None:
        """Add a page."""
        self.pages.append(page)
        page.setVisible(len(self.pages) == 1)
        self._layout.addWidget(page)
        self.bar.setTabToolTip(self.bar.addTab(title), tooltip)

    def show_page(self, page: QWidget) -> None:
        """Show a page; what a click on its tab does."""
        self.bar.setCurrentIndex(self.pages.index(page))

    def _on_changed(self, index: int) -> None:
        for i, page in enumerate(self.pages):
            page.setVisible(i == index)
        self.changed.emit()
