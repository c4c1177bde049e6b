"""A map over whatever is shown, with its threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.curtain import Curtain
from napari_adacs.app.review.host import Host
from napari_adacs.app.review.isolines import in_plane, isolines
from napari_adacs.app.review.layer_pool import LayerPool
from napari_adacs.app.review.maps import ResultMap, map_names, map_of
from napari_adacs.app.review.planes import shown_plane

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer, Vectors
    from napari.utils.colormaps import Colormap
    from napari.utils.events import Event

    from napari_adacs.app.session import Run

_OWNER = 'map'
_SHADES = 256
_CONTOUR_COLOUR = '#ffffff'
_MAP_ROLES = (
    Role.SCORE,
    Role.VARIANCE,
    Role.SPREAD,
    Role.WEIGHT,
    Role.JACOBIAN,
    Role.MAGNITUDE,
)


class MapView:
    """Shows one map of a registration at a time, over any view.

    Parameters
    ----------
    viewer : ViewerModel
        Where to show it.
    home : ViewerModel, optional
        Where the layers of the registration are; `viewer` if omitted.
    curtain : Curtain, optional
        Hides other maps.
    on_change : callable, optional
        Called when another map is on, or none.
    host : Host, optional
        The window of the viewer.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        home: ViewerModel | None = None,
        *,
        curtain: Curtain | None = None,
        on_change: Callable[[], None] = lambda: None,
        host: Host | None = None,
    ) -> None:
        self._viewer = viewer
        self._home = viewer if home is None else home
        self._curtain = curtain or Curtain()
        self._on_change = on_change
        # beside another viewer there is little room
        self._bars = self._home is viewer
        self._host = host or Host()
        self._run: Run | None = None
        self._pool: LayerPool | None = None
        self.shown: ResultMap | None = None
        self.opacity = 0.5
        self.threshold: float | None = None
        self.only_suspect = False
        self.contour = False

    @property
    def run(self) -> Run | None:
        """The registration whose maps there are."""
        return self._run

    @property
    def colormap(self) -> Colormap | None:
        """Colours of the map that is shown."""
        return None if self.shown is None else self._colours()

    @property
    def name(self) -> str | None:
        """Name of the map that is shown."""
        return None if self.shown is None else self.shown.kind.name

    def names(self) -> list[str]:
        """Return the maps that there are."""
        return [] if self._run is None else map_names(self._run.result)

    def set_run(self, run: Run | None) -> None:
        """Show the same map of another registration, if it has it."""
        name = self.name
        self.show(None)
        self._run = run
        if name in self.names():
            self.show(name)

    def show(self, name: str | None) -> None:
        """Show a map, or none; its threshold is a suggestion at first."""
        self._clear()
        if name is not None and self._run is not None:
            self.shown = map_of(self._home, self._run, name)
            self.threshold = self.shown.threshold
            self._curtain.hide(_OWNER, self._other_maps())
            self._add(self._run)
            self._follow()
        else:
            self._curtain.lift(_OWNER)
        self._on_change()

    def set_opacity(self, opacity: float) -> None:
        """Let the image shine through."""
        self.opacity = opacity
        if self._image is not None:
            self._image.opacity = opacity

    def set_threshold(self, threshold: float) -> None:
        """Move the threshold, in values of the map."""
        self.threshold = threshold
        if self._image is not None:
            if self.only_suspect:
                self._image.colormap = self._colours()
            self._draw_contour()

    def set_only_suspect(self, only: bool) -> None:
        """Colour only what lies beyond the threshold, or everything."""
        self.only_suspect = only
        if self._image is not None:
            self._image.colormap = self._colours()

    def set_contour(self, contour: bool) -> None:
        """Draw the threshold as a line, or not."""
        self.contour = contour
        self._draw_contour()

    def like(self, other: MapView) -> None:
        """Show what another one shows."""
        self.opacity, self.contour = other.opacity, other.contour
        self.only_suspect = other.only_suspect
        if (self._run, self.name) != (other.run, other.name):
            self._run = other.run
            self.show(other.name)
        if self._image is not None and other.threshold is not None:
            self._image.opacity = self.opacity
            self.threshold = other.threshold
            self._image.colormap = self._colours()
            self._draw_contour()

    def suspect_percent(self) -> float | None:
        """Return how much of the slice lies beyond the threshold, in %."""
        plane = self._plane()
        if self.shown is None or plane is None:
            return None
        values = np.asarray(self.shown.data[plane.key])
        return float(100 * self._is_suspect(values).mean())

    def close(self) -> None:
        """Leave the viewer as it was found."""
        self.show(None)
        self._run = None

    # ---- layers ------------------------------------------------------------

    _image: Image | None = None
    _lines: Vectors | None = None

    def _add(self, run: Run) -> None:
        assert self.shown is not None
        fixed = run.fixed.find(self._home)
        grid = run.result.field.grid
        placement = (
            layer_kwargs(grid)
            if fixed is None
            else layer_kwargs(fixed, ndim=grid.ndim)
        )
        self._pool = LayerPool(
            self._viewer, placement, bars=self._bars, host=self._host
        )
        title = f'Map: {self.shown.kind.noun}'
        self._image = self._pool.image(
            'map',
            self.shown.data,
            title,
            contrast_limits=self.shown.limits,
            colormap=self._colours(),
            opacity=self.opacity,
            # over what is drawn in this plane, whatever its depth
            blending='translucent_no_depth',
        )
        self._lines = self._pool.lines(
            'contour',
            grid.ndim,
            f'{title}, threshold',
            2.0,
            edge_color=_CONTOUR_COLOUR,
            vector_style='line',
        )
        self._pool.show([self._image, self._lines], images_at_back=False)
        self._pool.add_bar(self._image)
        self._draw_contour()

    def _clear(self) -> None:
        self._unfollow()
        pool, self._pool = self._pool, None
        self.shown = self._image = self._lines = None
        if pool is not None:
            pool.remove()

    def _colours(self) -> Colormap:
        """Return the colours; transparent where nothing is suspect."""
        from napari.utils.colormaps import Colormap, ensure_colormap

        assert self.shown is not None
        kind, (low, high) = self.shown.kind, self.shown.limits
        values = np.linspace(low, high, _SHADES)
        colours = ensure_colormap(kind.colormap).map(
            np.linspace(0, 1, _SHADES)
        )
        if kind.clear_at is not None:
            away = np.abs(values - kind.clear_at) / (high - low)
            colours[:, 3] = np.clip(4 * away, 0, 1)
        if self.only_suspect:
            colours[~self._is_suspect(values), 3] = 0
        return Colormap(colours, name=f'{kind.colormap} of {kind.name}')

    def _is_suspect(self, values: Any) -> Any:
        assert self.shown is not None
        if self.shown.kind.suspect == 'below':
            return values < self.threshold
        return values > self.threshold

    def _plane(self) -> Any:
        if self._image is None or self.shown is None:
            return None
        shape = self.shown.data.shape
        return shown_plane(self._viewer.dims, self._image, shape)

    def _draw_contour(self) -> None:
        """Draw where the slice crosses the threshold."""
        if self._lines is None or self.shown is None:
            return
        plane = self._plane()
        if not self.contour or plane is None or self.threshold is None:
            self._lines.visible = False
            return
        values = np.asarray(self.shown.data[plane.key])
        self._lines.data = in_plane(isolines(values, self.threshold), plane)
        self._lines.visible = True

    def _other_maps(self) -> list[Layer]:
        assert self._run is not None
        layers = ResultGroup(self._viewer, self._run.group_id).layers()
        return [layers[role] for role in _MAP_ROLES if role in layers]

    # ---- following the viewer ----------------------------------------------

    def _follow(self) -> None:
        for event in self._dims_events():
            event.connect(self._on_dims)
        self._viewer.layers.events.removed.connect(self._on_removed)

    def _unfollow(self) -> None:
        for event in self._dims_events():
            event.disconnect(self._on_dims)
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    def _dims_events(self) -> tuple[Any, ...]:
        events = self._viewer.dims.events
        return events.current_step, events.order, events.ndisplay

    def _on_dims(self, event: Any = None) -> None:
        if self.contour:
            self._draw_contour()

    def _on_removed(self, event: Event) -> None:
        """Let go of a map whose layer a person takes away."""
        ours = [] if self._pool is None else self._pool.layers
        key = str(event.value.unique_id)
        if any(str(layer.unique_id) == key for layer in ours):
            self._host.later(lambda: self.show(None))
