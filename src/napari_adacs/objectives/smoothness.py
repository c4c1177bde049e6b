"""Regularity of displacements, velocities and maps."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from napari_adacs.spatial.operators import forward_differences

Reduction = Literal['sum', 'mean']


def gradient_penalty(
    values: Tensor,
    reduction: Reduction = 'sum',
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean squared gradient by forward differences.

    Parameters
    ----------
    values : (N, C, *shape) torch.Tensor
        Field, velocity or map. Displacements must be in voxels of their own
        grid, so that the gradient has no unit.
    reduction : {'sum', 'mean'}, default: 'sum'
        'sum' adds over axes and components, the mean of ``||grad u||^2``
        (AdaCS, Eq. 1 and 8); 'mean' averages over both, as VoxelMorph does.
    weight : (N, 1, *shape) torch.Tensor, optional
        Factor on the gradient before squaring (AdaReg).
    """
    differences = forward_differences(values)
    if weight is not None:
        # A forward difference belongs to the voxel it starts from.
        differences = [
            d * weight.narrow(axis, 0, d.shape[axis])
            for axis, d in enumerate(differences, start=2)
        ]
    per_axis = [d.square().mean() for d in differences]
    total = torch.stack(per_axis)
    if reduction == 'mean':
        return total.mean()
    return total.sum() * values.shape[1]
