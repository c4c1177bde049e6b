"""Progress and cancelling, the same for window, shell and Python."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_adacs.errors import CancelledError

if TYPE_CHECKING:
    from torch import nn

# Where refining lies in the progress of a registration.
_REFINING = (0.2, 0.8)

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
        self.stopped_refining = False
        self._cancel = cancel
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

    def refining(self, fraction: float, loss: float) -> None:
        """Report a step of refining; its share of a registration is most."""
        if self._progress is not None:
            self._progress(
                _REFINING[0] + (_REFINING[1] - _REFINING[0]) * fraction,
                f'Refining, residual {loss:.4f}',
            )

    def stop_refining(self) -> bool:
        """Whether the user wants to stop, keeping what is refined so far.

        The wish is fulfilled by that: the registration then goes on to its
        end with the field as it is.
        """
        if not self._cancelled():
            return False
        self.stopped_refining = True
        self._fulfil()
        return True

    def _fulfil(self) -> None:
        self._cancelled = _never
        if isinstance(self._cancel, Event):
            self._cancel.clear()
            self._cancelled = self._cancel.is_set

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
