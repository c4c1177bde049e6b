"""Turning signals into a wish to stop."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from threading import Event
from types import FrameType


@contextlib.contextmanager
def stop_on_signals(patient: bool = False) -> Iterator[Event]:
    """Turn the first Ctrl-C or SIGTERM into a wish to stop.

    Parameters
    ----------
    patient : bool, default: False
        Whether further signals are wishes too; otherwise the second one
        stops at once. torchrun sends on what the terminal has sent already.
    """
    stop = Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before: dict[int, object] = {}

    def note(number: int, frame: FrameType | None) -> None:
        stop.set()
        if not patient:
            _restore(before)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, note)
    try:
        yield stop
    finally:
        _restore(before)


def _restore(before: dict[int, object]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)  # type: ignore[arg-type]
