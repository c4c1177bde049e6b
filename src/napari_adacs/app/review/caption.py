"""A word on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import ViewerModel


class Caption:
    """Writes on the canvas unless a person has written there.

    Layers could bear their names on the canvas themselves, but napari 0.9
    crashes when such a layer is removed.

    Parameters
    ----------
    viewer : ViewerModel
        On whose canvas.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._overlay = viewer.canvas.overlays.text
        self._ours: str | None = None
        self._before = ''

    def show(self, text: str) -> None:
        """Write a text; an empty one takes ours away."""
        if not text:
            self._clear()
            return
        if self._ours is None:
            if self._overlay.visible:
                return
            self._before = self._overlay.text
        self._ours = text
        self._overlay.text = text
        self._overlay.visible = True

    def _clear(self) -> None:
        if self._ours is not None and self._overlay.text == self._ours:
            self._overlay.visible = False
            self._overlay.text = self._before
        self._ours = None
