"""Progress and cancelling, the same for window, shell and Python."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_adacs.errors import CancelledError

if TYPE_CHECKING:
    from torch import nn

Progress = Callable[[float, str], None]
Cancel = Event | Callable[[], bool] | None


class Reporter:
    """Reports progress and notices a wish to stop.

    Parameters
    ----------
    progress : callable, optional
        Called with (fraction from 0 to 1, what is being done).
    cancel : threading.Event or callable, optional
        Set, or returning True, when the user wants to stop.
    """

    def __init__(
        self, progress: Progress | None = None, cancel: Cancel = None
    ) -> None:
        self._progress = progress
        self._cancelled: Callable[[], bool]
        if cancel is None:
            self._cancelled = _never
        elif isinstance(cancel, Event):
            self._cancelled = cancel.is_set
        else:
            self._cancelled = cancel

    def __call__(self, fraction: float, message: str) -> None:
        """Report a stage.

        Raises
        ------
        CancelledError
            If the user wants to stop.
        """
        self.check()
        if self._progress is not None:
            self._progress(fraction, message)

    def check(self, *_: Any) -> None:
        """Raise `CancelledError` if the user wants to stop."""
        if self._cancelled():
            raise CancelledError('The registration was cancelled.')

    @contextlib.contextmanager
    def watching(self, networks: Iterable[nn.Module]) -> Iterator[None]:
        """Notice cancelling between the parts of running networks."""
        handles = [
            layer.register_forward_pre_hook(self.check)
            for network in networks
            for layer in network.modules()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _never() -> bool:
    return False
