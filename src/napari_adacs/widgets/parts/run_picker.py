"""A combo box of the registrations that a viewer shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_adacs.app import session
from napari_adacs.app.result_layers import is_result
from napari_adacs.widgets.parts.following_combo import FollowingCombo

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.session import Run

_NOTHING = 'none (before only)'
# Layers of a result arrive one by one, and are a result when all are there.
_SETTLE_MS = 200


class RunPicker(FollowingCombo):
    """Lets a person choose a registration, newest first, or none.

    One that is new is chosen at once.

    Parameters
    ----------
    viewer : ViewerModel
        Whose registrations to list.
    nothing : str, optional
        Text of the entry for none.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        parent: QWidget | None = None,
        *,
        nothing: str = _NOTHING,
    ) -> None:
        super().__init__(viewer, parent)
        self._nothing = nothing
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.reload)
        self.setObjectName('registration')
        self.setAccessibleName('registration')
        self.reload()

    def unfollow(self) -> None:
        """Leave the viewer alone."""
        self._settle.stop()
        super().unfollow()

    def run(self) -> Run | None:
        """Return the chosen registration, or None."""
        return session.recall(self.currentData() or '')

    def showPopup(self) -> None:  # noqa: N802
        """Look again before the list opens."""
        self.reload()
        super().showPopup()

    def _entries(self) -> list[tuple[str, str]]:
        runs = session.runs_in(self._viewer)
        return [
            *((run.title, run.group_id) for run in runs),
            (self._nothing, ''),
        ]

    def _events(self) -> tuple[Any, ...]:
        events = self._viewer.layers.events
        return events.inserted, events.removed

    def _wanted(self, chosen: str | None, keys: list[str]) -> str | None:
        new = [key for _, key in self._entries() if key not in keys]
        return new[0] if new and new[0] else chosen

    def _on_event(self, event: Any) -> None:
        if is_result(event.value) or event.type == 'removed':
            self._settle.start()
