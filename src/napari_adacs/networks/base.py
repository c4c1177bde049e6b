"""What every displacement estimator offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Motion:
    """Estimate of a displacement estimator for a batch of pairs.

    Parameters
    ----------
    displacement : (N, ndim, *shape) torch.Tensor
        Displacement in voxels, pulling the moving image onto the fixed one.
    inverse : (N, ndim, *shape) torch.Tensor or None
        Displacement that pulls the fixed image onto the moving one, where
        the estimator knows it.
    raw : (N, ndim, *raw_shape) torch.Tensor
        What the network emits before integration and upsampling: a velocity
        or the displacement itself.
    raw_step : float
        Size of a voxel of `raw` in voxels of the image.
    """

    displacement: Tensor
    inverse: Tensor | None
    raw: Tensor
    raw_step: float = 1.0


class DisplacementEstimator(nn.Module, ABC):
    """Base class: two images in, a displacement out.

    Attributes
    ----------
    ndim : int
        Number of spatial axes.
    size_multiple : int
        Every axis of the input must be a multiple of this.
    """

    ndim: int
    size_multiple: int

    @abstractmethod
    def forward(
        self, moving: Tensor, fixed: Tensor, inverse: bool = True
    ) -> Motion:
        """Estimate the motion between images (N, 1, *shape).

        Parameters
        ----------
        moving, fixed : (N, 1, *shape) torch.Tensor
            Images in [0, 1].
        inverse : bool, default: True
            Whether to compute the inverse displacement too.
        """

    @abstractmethod
    def displace(self, raw: Tensor) -> Tensor:
        """Turn what the network emits into a displacement.

        Parameters
        ----------
        raw : (N, ndim, *raw_shape) torch.Tensor
            As in `Motion.raw`.

        Returns
        -------
        (N, ndim, *shape) torch.Tensor
            Displacement in voxels.
        """

    @abstractmethod
    def motion(self, raw: Tensor, inverse: bool = True) -> Motion:
        """Turn what the network emits into a motion."""
