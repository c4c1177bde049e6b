"""What a window does for the views in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

Later = Callable[[Callable[[], None]], None]


def at_once(action: Callable[[], None]) -> None:
    """Run an action without waiting."""
    action()


@dataclass(frozen=True)
class Host:
    """What views need of a window; the defaults serve a viewer without one.

    Parameters
    ----------
    later : callable
        Runs an action once napari has finished what it is doing: layers
        must not be removed while it removes others.
    drawing : callable
        Returns a context in which OpenGL commands reach the canvas. napari
        0.9 sends those that wait whenever a layer is removed; outside of
        such a context they are lost, and the next drawing may crash.
    """

    later: Later = at_once
    drawing: Callable[[], AbstractContextManager[object]] = nullcontext
