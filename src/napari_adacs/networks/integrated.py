"""Estimators whose output may be integrated as a stationary velocity."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from napari_adacs.networks.base import DisplacementEstimator, Motion
from napari_adacs.networks.precision import full
from napari_adacs.spatial.operators import integrate, resize_displacement


class IntegratedEstimator(DisplacementEstimator):
    """Base class: what the network emits is a velocity or a displacement.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    int_steps : int
        Squarings of the integration; 0 makes the output the displacement
        itself.
    int_downsize : int
        Factor by which the velocity is shrunk before integration; ignored
        without integration.

    Notes
    -----
    With integration the map is invertible, and its inverse is the integral
    of the negated velocity. A plain displacement has no inverse known to
    the network: ``Motion.inverse`` is None.

    References
    ----------
    Dalca et al., "Unsupervised Learning of Probabilistic Diffeomorphic
    Registration for Images and Surfaces", MedIA 57, 2019, Sec. 3.2.
    """

    def __init__(self, ndim: int, int_steps: int, int_downsize: int) -> None:
        super().__init__()
        self.ndim = ndim
        self.int_steps = int_steps
        self.int_downsize = int_downsize if int_steps > 0 else 1
        # Voxel of what the network emits, in voxels of the image.
        self.emitted_step = 1

    @property
    def invertible(self) -> bool:
        """Whether the motion comes with its inverse."""
        return self.int_steps > 0

    def shrunk_motion(self, flow: Tensor, inverse: bool) -> Motion:
        """Turn the output of the network into a motion."""
        return self.motion(self.shrunk_velocity(full(flow)), inverse)

    def shrunk_velocity(self, flow: Tensor) -> Tensor:
        """Bring the output of the network to the grid of the velocity."""
        if self.int_downsize == self.emitted_step:
            return flow
        return resize_displacement(flow, 1 / self.int_downsize)

    def motion(self, raw: Tensor, inverse: bool = True) -> Motion:
        """Turn what the network emits into a motion."""
        step = float(self.int_downsize)
        # -u is not the inverse of a plain displacement.
        if not inverse or not self.invertible:
            return Motion(self.displace(raw), None, raw, step)
        # One batch of both directions costs less than two calls.
        forward, backward = self.displace(torch.cat([raw, -raw])).chunk(2)
        return Motion(forward, backward, raw, step)

    def displace(self, raw: Tensor) -> Tensor:
        """Integrate a velocity and bring it to full resolution."""
        integrated = integrate(raw, self.int_steps)
        return resize_displacement(integrated, float(self.int_downsize))


class OnePassEstimator(IntegratedEstimator):
    """Base class: one network maps both images to what it emits.

    Its parameters are those of `IntegratedEstimator`.
    """

    @abstractmethod
    def emit(self, pair: Tensor) -> Tensor:
        """Map moving and fixed (N, 2, *shape) to what the network emits."""

    def estimate(self, moving: Tensor, fixed: Tensor, inverse: bool) -> Motion:
        """Estimate the motion between images of valid sizes."""
        flow = self.emit(torch.cat([moving, fixed], dim=1))
        return self.shrunk_motion(flow, inverse)

    def tensor_functions(self) -> dict[str, Callable[..., Tensor]]:
        """Return the whole network as one function of the pair."""
        return {'emit': self.emit}
