"""Listening to a viewer for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Connection = tuple[Any, Callable[..., Any]]


class Follower:
    """A part of a dock that follows the viewer while the dock is attached.

    Put it before the class of the widget. A subclass says in `_connections`
    which events of the viewer call what; whatever else begins or ends with
    following goes into its own `follow` and `unfollow`.
    """

    _following = False

    def follow(self) -> None:
        """Follow the viewer from now on."""
        if not self._following:
            self._following = True
            for event, slot in self._connections():
                event.connect(slot)

    def unfollow(self) -> None:
        """Leave the viewer alone."""
        if self._following:
            self._following = False
            for event, slot in self._connections():
                event.disconnect(slot)

    def _connections(self) -> Iterable[Connection]:
        """Return the events of the viewer, and what each calls."""
        raise NotImplementedError
