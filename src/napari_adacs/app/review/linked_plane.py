"""Another plane of the same volumes, moving with the main viewer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from napari.components import ViewerModel

from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.review.crosshair import Crosshair
from napari_adacs.app.review.curtain import Curtain
from napari_adacs.app.review.host import Host
from napari_adacs.app.review.map_view import MapView
from napari_adacs.app.review.mirror import Mirror
from napari_adacs.app.review.view_switch import ViewSwitch
from napari_adacs.app.units import convert

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_adacs.app.session import Run

Which = Literal['below', 'beside']


class NoCurtain(Curtain):
    """Hides nothing: twins are hidden with the layers they mirror."""

    def hide(self, owner: str, layers: Iterable[Layer]) -> None:
        """Do nothing."""

    def lift(self, owner: str) -> None:
        """Do nothing."""


class LinkedPlane:
    """A viewer model of one of the planes that the main viewer cuts.

    Parameters
    ----------
    home : ViewerModel
        The main viewer.
    which : {'below', 'beside'}
        'below' shares the main viewer's axis across, 'beside' its axis
        down.
    run : Run
        The registration that is reviewed.
    host : Host, optional
        The canvas of this plane.
    """

    def __init__(
        self,
        home: ViewerModel,
        which: Which,
        run: Run,
        host: Host | None = None,
    ) -> None:
        self._home = home
        self._which = which
        self._ours = False
        self.model = ViewerModel(title=which)
        self.model.theme = home.theme
        self._mirror = Mirror(home, self.model, host)
        curtain = NoCurtain()
        self.views = ViewSwitch(self.model, home, curtain=curtain, host=host)
        self.maps = MapView(self.model, home, curtain=curtain, host=host)
        fixed = run.fixed.find(home)
        grid = run.result.field.grid
        placement = (
            layer_kwargs(grid)
            if fixed is None
            else layer_kwargs(fixed, ndim=grid.ndim)
        )
        self._crosshair = Crosshair(self.model, placement, grid.shape, host)
        self._turn()
        self._connect()
        self._from_home()
        self.model.reset_view()

    def follow(self, views: ViewSwitch, maps: MapView) -> None:
        """Show the same view and the same map as the main viewer."""
        self.views.like(views)
        self.maps.like(maps)

    def close(self) -> None:
        """Let go of the main viewer, and of all layers."""
        for event, action in self._links():
            event.disconnect(action)
        self.model.mouse_drag_callbacks.remove(self._on_click)
        self.views.close()
        self.maps.close()
        self._crosshair.close()
        self._mirror.close()

    def _connect(self) -> None:
        for event, action in self._links():
            event.connect(action)
        self.model.mouse_drag_callbacks.append(self._on_click)

    def _links(self) -> tuple[tuple[Any, Any], ...]:
        home, model = self._home.dims.events, self.model.dims.events
        return (
            (home.point, self._from_home),
            (home.order, self._turn),
            (home.ndim, self._turn),
            (model.point, self._to_home),
            (model.ndim, self._turn),
        )

    def _turn(self, event: Any = None) -> None:
        """Show the plane across the main one."""
        order = list(self._home.dims.order)
        depth, down, across = order[-3:]
        turned = (
            [*order[:-3], down, depth, across]
            if self._which == 'below'
            else [*order[:-3], across, down, depth]
        )
        first = self._home.dims.ndim - self.model.dims.ndim
        if first < 0:
            return
        wanted = tuple(a - first for a in turned if a >= first)
        if self.model.dims.order != wanted:
            self.model.dims.order = wanted
            self._from_home()

    def _from_home(self, event: Any = None) -> None:
        if self._ours:
            return
        count = self.model.dims.ndim
        point = self._home.dims.point[-count:]
        factors = _factors(self._home.dims.units, self.model.dims.units, count)
        self._set(self.model, np.asarray(point) * factors)

    def _to_home(self, event: Any = None) -> None:
        if self._ours:
            return
        count = self.model.dims.ndim
        factors = _factors(self.model.dims.units, self._home.dims.units, count)
        place = np.array(self._home.dims.point)
        place[-count:] = np.asarray(self.model.dims.point) * factors
        self._set(self._home, place)

    def _set(self, viewer: ViewerModel, point: Iterable[float]) -> None:
        self._ours = True
        try:
            viewer.dims.point = tuple(float(x) for x in point)
        finally:
            self._ours = False

    def _on_click(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        """Move all planes to where a person clicks."""
        yield from move_on_click(self.model, event)


def move_on_click(viewer: ViewerModel, event: Any) -> Iterator[None]:
    """Move a viewer's sliders to a click; a drag is napari's."""
    if event.button != 1 or event.modifiers or viewer.dims.ndisplay != 2:
        return
    yield
    if event.type == 'mouse_move':
        return
    viewer.dims.point = tuple(float(x) for x in event.position)


def _factors(
    source: Sequence[Any] | None, target: Sequence[Any] | None, count: int
) -> Any:
    """Return what turns the units of one viewer into those of another."""
    if source is None or target is None:
        return np.ones(count)
    pairs = zip(source[-count:], target[-count:], strict=True)
    return np.array([convert(1.0, own, unit) for own, unit in pairs])
