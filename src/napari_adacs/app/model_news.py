"""Telling all docks that there are other models than before."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[], None]

_LISTENERS: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call a function whenever models come or go."""
    if listener not in _LISTENERS:
        _LISTENERS.append(listener)


def unlisten(listener: Listener) -> None:
    """Call it no more."""
    if listener in _LISTENERS:
        _LISTENERS.remove(listener)


def tell() -> None:
    """Say that models have come or gone."""
    for listener in list(_LISTENERS):
        try:
            listener()
        except RuntimeError:  # the window it belongs to is gone
            unlisten(listener)
