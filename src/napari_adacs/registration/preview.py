"""Seeing a refinement while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.spatial.field import DisplacementField

# Seconds between two snapshots; faster than the eye follows a volume is
# time taken from the refinement.
_SHORTEST_PAUSE = 0.2


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a refinement.

    Parameters
    ----------
    fraction : float
        How much is done.
    losses : tuple of float
        Of every step so far. A free field starts anew at each resolution,
        with another image to compare.
    warped : (*fixed.shape) numpy.ndarray of float32
        Moving image resampled by the field so far.
    """

    fraction: float
    losses: tuple[float, ...]
    warped: NDArray[np.float32]


Preview = Callable[[Snapshot], None]


class Previewer:
    """Keeps the losses, and shows a snapshot five times a second at most.

    Parameters
    ----------
    preview : callable or None
        Takes the snapshots.
    moving : ImageOnGrid
        The image to warp.
    """

    def __init__(self, preview: Preview | None, moving: ImageOnGrid) -> None:
        self.losses: list[float] = []
        self._preview = preview
        self._moving = moving
        self._last = time.monotonic()

    def __call__(
        self,
        fraction: float,
        loss: float,
        field: Callable[[], DisplacementField],
    ) -> None:
        """Take note of a step.

        Parameters
        ----------
        fraction : float
            How much is done.
        loss : float
            Of this step.
        field : callable
            Returns the field so far; asked only where it is shown.
        """
        self.losses.append(loss)
        now = time.monotonic()
        if self._preview is None or now - self._last < _SHORTEST_PAUSE:
            return
        warped = field().warp_image(self._moving.data)
        self._preview(Snapshot(fraction, tuple(self.losses), warped))
        self._last = time.monotonic()
