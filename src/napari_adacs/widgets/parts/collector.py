"""Keeping the garbage collector from stopping the window."""

from __future__ import annotations

import gc

# More young collections than any run lasts.
_NEVER = 1_000_000


class FullCollections:
    """Puts off full collections of cyclic garbage for a while.

    With napari and torch loaded, one takes a fifth of a second, in which no
    thread runs Python: the window stands still. Young objects are collected
    as ever.
    """

    def __init__(self) -> None:
        self._before: tuple[int, int, int] | None = None

    def put_off(self) -> None:
        """Have none until `resume`."""
        if self._before is None:
            self._before = gc.get_threshold()
            gc.set_threshold(*self._before[:2], _NEVER)

    def resume(self) -> None:
        """Have them again; does nothing if they were not put off."""
        if self._before is not None:
            gc.set_threshold(*self._before)
            self._before = None
