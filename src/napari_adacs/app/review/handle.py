"""Dragging the line of a view over the canvas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.app.review.planes import to_data, to_world
from napari_adacs.app.review.views.wipe import Wipe

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.view_switch import ViewSwitch

# Canvas pixels from the line within which it can be taken hold of.
_REACH = 8


class HandleDrag:
    """Lets a person drag the line of a wipe with the mouse.

    Near the line the mouse no longer moves the camera; away from it, it does
    what it did before.

    Parameters
    ----------
    viewer : ViewerModel
        Where the mouse is.
    switch : ViewSwitch
        Which view there is.
    on_value : callable
        Called with the name of an option and its new value.
    """

    def __init__(
        self, viewer: ViewerModel, switch: ViewSwitch, on_value: Any
    ) -> None:
        self._viewer = viewer
        self._switch = switch
        self._on_value = on_value
        self._pan: bool | None = None
        viewer.mouse_move_callbacks.append(self._hover)
        viewer.mouse_drag_callbacks.append(self._drag)

    def close(self) -> None:
        """Leave the mouse alone."""
        self._let_go()
        for callbacks, ours in (
            (self._viewer.mouse_move_callbacks, self._hover),
            (self._viewer.mouse_drag_callbacks, self._drag),
        ):
            if ours in callbacks:
                callbacks.remove(ours)

    def is_near(self, position: Any) -> bool:
        """Whether a position of the viewer is near the line."""
        view = self._switch.view
        handle = None if view is None else view.handle()
        if view is None or handle is None:
            return False
        axis, place = handle
        layer, dims = view.layers[0], self._viewer.dims
        here = to_data(position, dims, layer)
        there = here.copy()
        there[axis] = place
        world = to_world(here, dims, layer) - to_world(there, dims, layer)
        distance = float(np.linalg.norm(world))
        return bool(distance * self._viewer.scene.camera.zoom <= _REACH)

    def _hover(self, viewer: ViewerModel, event: Any) -> None:
        if event.is_dragging:
            return
        if self.is_near(event.position):
            self._take_hold()
        else:
            self._let_go()

    def _drag(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        if event.button != 1 or not self.is_near(event.position):
            return
        self._take_hold()
        yield
        while event.type == 'mouse_move':
            self._move_to(event.position)
            yield
        self._let_go()

    def _move_to(self, position: Any) -> None:
        view = self._switch.view
        if isinstance(view, Wipe) and view.handle() is not None:
            here = to_data(position, self._viewer.dims, view.layers[0])
            axis, _ = view.handle() or (0, 0.0)
            value = view.position_of(float(here[axis]))
            self._switch.set_value('position', value)
            self._on_value('position', value)

    def _take_hold(self) -> None:
        if self._pan is None:
            self._pan = bool(self._viewer.scene.camera.mouse_pan)
            self._viewer.scene.camera.mouse_pan = False

    def _let_go(self) -> None:
        if self._pan is not None:
            self._viewer.scene.camera.mouse_pan = self._pan
            self._pan = None
