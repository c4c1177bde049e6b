"""Images of any shape for networks that halve them several times."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def pad_end(image: Tensor, multiple: int) -> Tensor:
    """Append zeros to the end of each axis, up to a multiple.

    Registration pads in the same way, outside the image there being
    nothing.

    Parameters
    ----------
    image : (N, C, *shape) torch.Tensor
        Image; returned as it is where it fits already.
    multiple : int
        What every axis has to be a multiple of.
    """
    # F.pad counts axes from the last one.
    pads: list[int] = []
    for size in reversed(image.shape[2:]):
        pads += [0, -size % multiple]
    return F.pad(image, pads) if any(pads) else image


def crop_end(values: Tensor, shape: Sequence[int]) -> Tensor:
    """Undo `pad_end`: keep the first `shape` voxels of each axis."""
    if tuple(values.shape[2:]) == tuple(shape):
        return values
    for axis, size in enumerate(shape, start=2):
        values = values.narrow(axis, 0, size)
    return values
