"""No network: a motion of zero, for registering from scratch.

It stands where a displacement estimator would, so that a pair can be
registered by instance optimisation alone, whatever made the images.
"""

from __future__ import annotations

from torch import Tensor

from napari_adacs.networks.base import DisplacementEstimator, Motion


class Identity(DisplacementEstimator):
    """Moves nothing.

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    """

    size_multiple = 1

    def __init__(self, ndim: int) -> None:
        super().__init__()
        self.ndim = ndim

    @property
    def invertible(self) -> bool:
        """Whether the motion comes with its inverse."""
        return True

    def estimate(self, moving: Tensor, fixed: Tensor, inverse: bool) -> Motion:
        """Return zero displacement between images (N, 1, *shape)."""
        zeros = fixed.new_zeros((len(fixed), self.ndim, *fixed.shape[2:]))
        return self.motion(zeros, inverse)

    def displace(self, raw: Tensor) -> Tensor:
        """Return what is given, a displacement already."""
        return raw

    def motion(self, raw: Tensor, inverse: bool = True) -> Motion:
        """Turn a displacement into a motion, inverted to first order."""
        return Motion(raw, -raw if inverse else None, raw)
