"""A penalty on folding."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_adacs.spatial.operators import forward_differences


def folding_penalty(displacement: Tensor, margin: float = 0.05) -> Tensor:
    """Return the mean amount by which the Jacobian determinant is too small.

    ``mean(relu(margin - det(I + grad u)))`` by forward differences, after
    Mok and Chung, "Fast symmetric diffeomorphic image registration with
    convolutional neural networks", CVPR 2020, Eq. 6.

    Parameters
    ----------
    displacement : (N, ndim, *shape) torch.Tensor
        In voxels.
    margin : float, default: 0.05
        Determinants below this count.
    """
    ndim = displacement.shape[1]
    if any(n < 2 for n in displacement.shape[2:]):
        return displacement.sum() * 0
    columns = []
    for axis, difference in enumerate(forward_differences(displacement)):
        # Keep the voxels that have a neighbour along every axis.
        place = [slice(None if i == axis else -1) for i in range(ndim)]
        columns.append(difference[(slice(None), slice(None), *place)])
    jacobian = torch.stack(columns, dim=2)
    matrix = jacobian.movedim((1, 2), (-2, -1)) + torch.eye(
        ndim, dtype=displacement.dtype, device=displacement.device
    )
    return torch.relu(margin - torch.linalg.det(matrix)).mean()
