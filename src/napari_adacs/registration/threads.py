"""CPU threads for a registration."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch

# The load counts our own threads too, one per core at most; beyond that
# other programs have been waiting for the cores, for minutes.
_BUSY = 1.5


@contextlib.contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Limit torch's CPU threads for a while.

    Parameters
    ----------
    count : int
        How many; 0 for `sensible_threads`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count or sensible_threads(before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def sensible_threads(usual: int) -> int:
    """Return one thread where the cores are contended, else the usual.

    Layers wait for their slowest thread: on a computer that others keep
    busy, several threads are slower than one.

    Parameters
    ----------
    usual : int
        What torch would take.
    """
    try:
        waiting = os.getloadavg()[1]
    except (AttributeError, OSError):
        return usual
    return 1 if waiting > _BUSY * (os.cpu_count() or 1) else usual
