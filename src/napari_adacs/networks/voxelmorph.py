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

from napari_adacs.networks.base import Motion
from napari_adacs.networks.integrated import IntegratedEstimator
from napari_adacs.networks.unet import DECODER, ENCODER, UNet, convolution

_FLOW_INIT_SD = 1e-5


class VoxelMorph(IntegratedEstimator):
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
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] = ENCODER,
        decoder: Sequence[int] = DECODER,
        int_steps: int = 7,
        int_downsize: int = 2,
    ) -> None:
        super().__init__(ndim, int_steps, int_downsize)
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
        return self.shrunk_motion(flow, inverse)
