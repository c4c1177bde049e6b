"""One pair of images to register, and everything known about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.registration.inputs import ImageOnGrid


@dataclass(frozen=True, eq=False)
class Case:
    """A pair of images.

    Parameters
    ----------
    name : str
        Unique within its source.
    moving, fixed : ImageOnGrid
        The images.
    moving_labels, fixed_labels : numpy.ndarray of int, optional
        Segmentations on the grids of the images.
    truth : (ndim, *fixed.shape) numpy.ndarray of float32, optional
        True pull-back displacement in voxels of the fixed grid.
    inside : (*fixed.shape) numpy.ndarray of bool, optional
        Where maps are judged; by default where the fixed image is brighter
        than its minimum.
    """

    name: str
    moving: ImageOnGrid
    fixed: ImageOnGrid
    moving_labels: NDArray[Any] | None = None
    fixed_labels: NDArray[Any] | None = None
    truth: NDArray[np.float32] | None = None
    inside: NDArray[np.bool_] | None = None

    @property
    def region(self) -> NDArray[np.bool_]:
        """Where maps are judged."""
        if self.inside is not None:
            return self.inside
        image = self.fixed.data
        region: NDArray[np.bool_] = image > image.min()
        return region


class CaseSource(ABC):
    """Cases that are read when asked for."""

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Names of all cases, in order."""

    @property
    @abstractmethod
    def ndim(self) -> int:
        """Number of axes of the images."""

    @abstractmethod
    def load(self, name: str) -> Case:
        """Read or make one case.

        Raises
        ------
        InputError
            If its files cannot be used.
        """

    @abstractmethod
    def identity(self, name: str) -> str:
        """Return what changes when the case changes, without reading it."""
