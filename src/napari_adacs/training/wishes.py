"""Wishes of those who watch a run, agreed on by its processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from napari_adacs.training.processes import Processes
from napari_adacs.training.sections import StageConfig

Asked = Callable[[], bool]
# From the steps done and the present stages to those to go on with.
KeepTo = Callable[[int, StageConfig], StageConfig]

# Seconds between two looks at whether a pause is over.
_NAP = 0.2


@dataclass(frozen=True)
class Wishes:
    """Whether to rest or to stop, the same answer in every process.

    Parameters
    ----------
    processes : Processes
        Who shares the run.
    cancel, pause : callable, optional
        Asked whether to stop, and whether to rest.
    """

    processes: Processes
    cancel: Asked | None = None
    pause: Asked | None = None

    def stop(self) -> bool:
        """Return whether anyone wants to stop."""
        return self.processes.any(bool(self.cancel and self.cancel()))

    def rest(self, before: Callable[[], None]) -> None:
        """Wait for as long as anyone wants a pause, and nobody a stop.

        Parameters
        ----------
        before : callable
            What to do first, such as saving.
        """
        if self.pause is None or not self._pauses():
            return
        before()
        while self._pauses() and not self.stop():
            time.sleep(_NAP)

    def _pauses(self) -> bool:
        return self.processes.any(bool(self.pause and self.pause()))
