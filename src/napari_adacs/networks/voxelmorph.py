"""VoxelMorph displacement estimator (0.2 topology), 2D and 3D.

References
----------
Balakrishnan et al., "VoxelMorph: A Learning Framework for Deformable
Medical Image Registration", IEEE TMI 38(8), 2019.
Dalca et al., "Unsupervised Learning of Probabilistic Diffeomorphic
Registration for Images and Surfaces", MedIA 57, 2019 (the integration).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.integrated import OnePassEstimator
from napari_adacs.networks.unet import UNet

_FLOW_INIT_SD = 1e-5


class VoxelMorph(OnePassEstimator):
    """U-Net that emits a stationary velocity, integrated to a displacement.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int, optional
        U-Net features, see `UNet`.
    int_steps : int, default: 7
        Squarings of the integration; 0 makes the output the displacement
        itself.
    int_downsize : int, default: 2
        Factor by which the velocity is shrunk before integration; ignored
        without integration.
    unet_half_res : bool, default: False
        Whether the U-Net itself emits the velocity at the coarser
        resolution, without its last upsampling and skip connection. The
        velocity is then not shrunk again.
    **unet
        Further options of `UNet`: nb_features, nb_levels, feat_mult,
        nb_conv_per_level, max_pool.

    Raises
    ------
    ModelError
        If the options do not fit each other.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] | None = None,
        decoder: Sequence[int] | None = None,
        int_steps: int = 7,
        int_downsize: int = 2,
        unet_half_res: bool = False,
        **unet: Any,
    ) -> None:
        super().__init__(ndim, int_steps, int_downsize)
        self.unet_model = UNet(
            ndim, 2, encoder, decoder, half_res=unet_half_res, **unet
        )
        self.size_multiple = math.lcm(
            self.unet_model.size_multiple, self.int_downsize
        )
        if unet_half_res:
            self._start_from(self.unet_model.output_step)
        self.flow = convolution(ndim)(
            self.unet_model.out_channels, ndim, 3, padding=1
        )
        nn.init.normal_(self.flow.weight, 0.0, _FLOW_INIT_SD)
        assert self.flow.bias is not None
        nn.init.zeros_(self.flow.bias)

    def _start_from(self, step: int) -> None:
        """Take the velocity on the coarser grid that the U-Net emits."""
        if self.int_steps > 0 and self.int_downsize != step:
            raise ModelError(
                f'A U-Net at half resolution emits the velocity on a grid of '
                f'1/{step}, and it is to be integrated on one of '
                f'1/{self.int_downsize}.',
                f"Set 'int_downsize' to {step}, or 'unet_half_res' to false.",
            )
        self.emitted_step = self.int_downsize = step

    def emit(self, pair: Tensor) -> Tensor:
        """Map moving and fixed (N, 2, *shape) to what the head emits."""
        flow: Tensor = self.flow(self.unet_model(pair))
        return flow
