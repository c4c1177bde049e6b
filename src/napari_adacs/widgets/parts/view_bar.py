"""How fixed and warped are shown against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout, QWidget

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.keys import Keys
    from napari_adacs.app.session import Run


class ViewBar(QWidget):
    """Chooses the view of a registration and its settings.

    Parameters
    ----------
    viewer : ViewerModel
        Where to show it.
    """

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._run: Run | None = None
        self.KEYS: Keys = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def set_run(self, run: Run | None) -> None:
        """Show another registration, or none; any view is switched off."""
        self._run = run

    def close_views(self) -> None:
        """Leave the viewer as it was found; for when the dock closes."""
        self.set_run(None)
