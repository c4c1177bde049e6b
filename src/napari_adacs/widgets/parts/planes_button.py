"""A button that opens the planes across the main one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QPushButton, QWidget

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.map_view import MapView
    from napari_adacs.app.review.view_switch import ViewSwitch
    from napari_adacs.app.session import Run
    from napari_adacs.widgets.parts.ortho_views import OrthoViews

_TITLE = 'Orthogonal planes'
_TOOLTIP = (
    'Show the two planes across this one beside it; click in any of them to '
    'move the others (Alt+O).'
)


class PlanesButton(QPushButton):
    """Opens and closes the orthogonal planes, in a dock of their own.

    Parameters
    ----------
    viewer : ViewerModel
        The main viewer; without a window there is nothing to open.
    views, maps : ViewSwitch, MapView
        What the planes show, too.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        views: ViewSwitch,
        maps: MapView,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(_TITLE, parent)
        self._viewer = viewer
        self._views = views
        self._maps = maps
        self._run: Run | None = None
        self._dock: Any = None
        self.planes: OrthoViews | None = None
        self.setObjectName('orthogonal_planes')
        self.setCheckable(True)
        self.setToolTip(_TOOLTIP)
        self.toggled.connect(self._on_toggled)

    def set_run(self, run: Run | None) -> None:
        """Offer the planes of another registration."""
        same = (
            run is not None
            and self._run is not None
            and run.result.field.grid is self._run.result.field.grid
        )
        if not same:
            self.setChecked(False)
        self._run = run
        volume = run is not None and run.result.field.grid.ndim == 3
        self.setEnabled(volume and hasattr(self._viewer, 'window'))

    def follow(self) -> None:
        """Show in the planes what the main viewer shows."""
        if self.planes is not None:
            self.planes.follow(self._views, self._maps)

    def tick(self) -> None:
        """Take the next step of a view that moves."""
        if self.planes is not None:
            self.planes.tick()

    def close_planes(self) -> None:
        """Close the planes if they are open."""
        self.setChecked(False)

    def _on_toggled(self, checked: bool) -> None:
        if checked and self._run is not None:
            self._open(self._run)
        elif self.planes is not None:
            planes, dock = self.planes, self._dock
            self.planes = self._dock = None
            planes.closed.disconnect(self._on_closed)
            planes.close_planes()
            self._viewer.window.remove_dock_widget(dock)

    def _open(self, run: Run) -> None:
        # The second canvases cost time: only who wants them waits.
        from napari_adacs.widgets.parts.ortho_views import OrthoViews

        self.planes = OrthoViews(self._viewer, run, self)
        self.planes.closed.connect(self._on_closed)
        self._dock = self._viewer.window.add_dock_widget(
            self.planes, name=_TITLE, area='right'
        )
        self.follow()

    def _on_closed(self) -> None:
        """Follow the cross of the dock."""
        self.planes = self._dock = None
        self.setChecked(False)
