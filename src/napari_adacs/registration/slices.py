"""A 2D model on a stack of thick slices, such as short-axis cine MRI.

Slices 8 mm apart share no structure that a 3D network could follow. A 2D
model registers each by itself: the displacement lies in the slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from napari_adacs.networks.base import Motion
from napari_adacs.registration.estimate import Maps, Networks
from napari_adacs.registration.preprocess import scaled
from napari_adacs.spatial.operators import warp


class SliceNetworks(Networks):
    """A 2D model and a 3D pair whose first axis runs across the slices.

    Each slice is scaled to [0, 1] by itself, as the training slices were.

    Parameters
    ----------
    model : Model
        For 2D images; moved to `device`.
    pair : NetworkPair
        Images on the network grid, slices first.
    device : torch.device
        Where to compute.
    backend : str
        As in `RunConfig`.
    """

    def images(self, values: Tensor) -> Tensor:
        """Return the slices of an image, each scaled by itself."""
        return torch.stack([scaled(s) for s in self.batched(values)])

    def batched(self, values: Tensor) -> Tensor:
        """Turn (1, 1, slices, *shape) into (slices, 1, *shape)."""
        return values.transpose(0, 2)[:, :, 0].contiguous()

    def on_grid(self, motion: Motion) -> Motion:
        """Return the motion of the slices as one of the volume."""
        inverse = motion.inverse
        return replace(
            motion,
            displacement=_in_space(motion.displacement),
            inverse=None if inverse is None else _in_space(inverse),
        )

    def displacement_sd(self, motion: Motion) -> Maps:
        """Return how uncertain the network is within the slices."""
        return {
            name: _as_volume(values)
            for name, values in super().displacement_sd(motion).items()
        }

    def maps(self, displacement: Tensor) -> Maps:
        """Return score, variance and weight, slice by slice."""
        # A refined field may reach across slices.
        volume = _as_volume(self.moving)
        warped = warp(volume, displacement.to(self.device))
        return {
            name: _as_volume(values)
            for name, values in self.maps_of(self.batched(warped)).items()
        }

    @property
    def spacing(self) -> Sequence[float]:
        """Voxel size within the slices."""
        return self.pair.grid.spacing[1:]


def _as_volume(batch: Tensor) -> Tensor:
    """Turn (slices, C, *shape) into (1, C, slices, *shape)."""
    return batch.transpose(0, 1)[None].contiguous()


def _in_space(displacement: Tensor) -> Tensor:
    """Return displacements within slices as those of a volume."""
    within = _as_volume(displacement)
    return torch.cat([torch.zeros_like(within[:, :1]), within], dim=1)
