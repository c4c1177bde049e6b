"""VoxelMorph displacement estimator (0.2 topology), 2D and 3D.

References
----------
Balakrishnan et al., "VoxelMorph: A Learning Framework for Deformable
Medical Image Registration", IEEE TMI 38(8), 2019.
Dalca et al., "Unsupervised Learning of Probabilistic Diffeomorphic
Registration for Images and Surfaces", MedIA 57, 2019 (the integration).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_adacs.networks.base import DisplacementEstimator, Motion
from napari_adacs.networks.unet import DECODER, ENCODER, UNet, convolution
from napari_adacs.spatial.operators import integrate, resize_displacement

_FLOW_INIT_SD = 1e-5


class VoxelMorph(DisplacementEstimator):
    """U-Net that emits a stationary velocity, integrated to a displacement.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int
        U-Net features, see `UNet`.
    int_steps : int, default: 7
        Squarings of the integration; 0 makes the output the displacement
        itself.
    int_downsize : int, default: 2
        Factor by which the velocity is shrunk before integration; ignored
        without integration.

    Notes
    -----
    With integration the map is invertible, and its inverse is the integral
    of the negated velocity.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] = ENCODER,
        decoder: Sequence[int] = DECODER,
        int_steps: int = 7,
        int_downsize: int = 2,
    ) -> None:
        super().__init__()
        self.ndim = ndim
        self.int_steps = int_steps
        self.int_downsize = int_downsize if int_steps > 0 else 1
        self.unet_model = UNet(ndim, 2, encoder, decoder)
        self.size_multiple = self.unet_model.size_multiple
        self.flow = convolution(ndim)(
            self.unet_model.out_channels, ndim, 3, padding=1
        )
        nn.init.normal_(self.flow.weight, 0.0, _FLOW_INIT_SD)
        assert self.flow.bias is not None
        nn.init.zeros_(self.flow.bias)

    def forward(
        self, moving: Tensor, fixed: Tensor, inverse: bool = True
    ) -> Motion:
        """Estimate the motion; see `DisplacementEstimator.forward`."""
        flow = self.flow(self.unet_model(torch.cat([moving, fixed], dim=1)))
        raw = resize_displacement(flow, 1 / self.int_downsize)
        return self.motion(raw, inverse)

    def motion(self, raw: Tensor, inverse: bool = True) -> Motion:
        """Turn a velocity into a motion; see `DisplacementEstimator`."""
        step = float(self.int_downsize)
        # -u is not the inverse of a plain displacement.
        if not inverse or self.int_steps == 0:
            return Motion(self.displace(raw), None, raw, step)
        # One batch of both directions costs less than two calls.
        forward, backward = self.displace(torch.cat([raw, -raw])).chunk(2)
        return Motion(forward, backward, raw, step)

    def displace(self, raw: Tensor) -> Tensor:
        """Integrate a velocity and bring it to full resolution."""
        integrated = integrate(raw, self.int_steps)
        return resize_displacement(integrated, float(self.int_downsize))
