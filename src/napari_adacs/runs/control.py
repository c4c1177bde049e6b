"""What the watchers of a run wish, as a file that it looks at.

Signals would do on Unix; a file does everywhere, from any session, and on a
disk that two computers share.
"""

from __future__ import annotations

import contextlib
import time
from enum import StrEnum
from pathlib import Path

from napari_adacs.runs.files import CONTROL, read_json, write_json


class Wish(StrEnum):
    """What a run is asked to do."""

    GO_ON = 'go on'
    PAUSE = 'pause'
    STOP = 'stop'


def wish(folder: Path, what: Wish) -> None:
    """Ask a run for something; it looks between two steps."""
    write_json(folder / CONTROL, {'wish': what.value, 'written': time.time()})


def wished(folder: Path, since: float = 0.0) -> Wish:
    """Return what a run is asked for.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    since : float
        Older wishes were meant for an earlier process.
    """
    values = read_json(folder / CONTROL)
    try:
        if values is None or float(values['written']) < since:
            return Wish.GO_ON
        return Wish(values['wish'])
    except (KeyError, TypeError, ValueError):
        return Wish.GO_ON


def forget_wishes(folder: Path) -> None:
    """Remove what was asked for: it was done, or nobody is there to do it."""
    with contextlib.suppress(OSError):
        (folder / CONTROL).unlink(missing_ok=True)
