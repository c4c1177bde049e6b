"""Two small canvases with the planes that cross the main one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from napari.qt import QtViewer
from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QSplitter, QVBoxLayout, QWidget

from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.review.crosshair import Crosshair
from napari_adacs.app.review.linked_plane import LinkedPlane, move_on_click
from napari_adacs.widgets.parts.canvas_host import host_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.map_view import MapView
    from napari_adacs.app.review.view_switch import ViewSwitch
    from napari_adacs.app.session import Run

_SMALLEST = 160


class OrthoViews(QWidget):
    """Shows the two other planes at the position of the main viewer.

    Clicking in any canvas moves all three; keys go to the main one. When
    the widget is taken out of its dock everything is let go of, and `closed`
    fires.

    Parameters
    ----------
    viewer : ViewerModel
        The main viewer.
    run : Run
        The registration that is reviewed; in three dimensions.
    window_part : QWidget
        Any widget of the main window.
    """

    closed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        run: Run,
        window_part: QWidget,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._open = True
        # each plane in its own frame, by which its canvas is found
        frames = {which: QWidget() for which in ('below', 'beside')}
        self.planes = [
            LinkedPlane(viewer, which, run, host_of(frame))
            for which, frame in frames.items()
        ]
        fixed = run.fixed.find(viewer)
        grid = run.result.field.grid
        placement = (
            layer_kwargs(grid)
            if fixed is None
            else layer_kwargs(fixed, ndim=grid.ndim)
        )
        self._crosshair = Crosshair(
            viewer, placement, grid.shape, host_of(window_part)
        )
        viewer.mouse_drag_callbacks.append(self._on_click)
        self.canvases = [QtViewer(plane.model) for plane in self.planes]
        splitter = QSplitter(Qt.Orientation.Vertical)
        for canvas, frame in zip(self.canvases, frames.values(), strict=True):
            canvas.dims.hide()
            canvas.setAcceptDrops(False)
            canvas.canvas.native.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            canvas.setMinimumSize(_SMALLEST, _SMALLEST)
            canvas.setToolTip('Click to move all planes here.')
            inside = QVBoxLayout(frame)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.addWidget(canvas)
            splitter.addWidget(frame)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def follow(self, views: ViewSwitch, maps: MapView) -> None:
        """Show the view and the map of the main viewer."""
        if self._open:
            for plane in self.planes:
                plane.follow(views, maps)

    def tick(self) -> None:
        """Take the next step of a view that moves."""
        for plane in self.planes:
            plane.views.tick()

    def event(self, event: QEvent) -> bool:
        """Notice being taken out of the dock for good."""
        if (
            event.type() == QEvent.Type.ParentChange
            and self.parent() is None
            and self._open
        ):
            QTimer.singleShot(0, self.close_planes)
        handled: bool = super().event(event)
        return handled

    def resizeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Fit the planes into their canvases."""
        super().resizeEvent(event)
        QTimer.singleShot(0, self._fit)

    def close_planes(self) -> None:
        """Let go of the viewer and of the canvases."""
        if not self._open:
            return
        self._open = False
        self._viewer.mouse_drag_callbacks.remove(self._on_click)
        self._crosshair.close()
        for plane, canvas in zip(self.planes, self.canvases, strict=True):
            plane.close()
            canvas.close()
        self.planes, self.canvases = [], []
        self.closed.emit()
        self.deleteLater()

    def _fit(self) -> None:
        for plane in self.planes:
            plane.model.reset_view()

    def _on_click(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        active = self._viewer.layers.selection.active
        if active is None or str(active.mode) == 'pan_zoom':
            yield from move_on_click(self._viewer, event)
