"""What must stay exact when layers compute in half precision."""

from __future__ import annotations

import torch
from torch import Tensor


def full(values: Tensor) -> Tensor:
    """Return float32 under autocast; otherwise the values as they are.

    Coordinates and scores need more digits than the layers before them:
    half of a voxel at position 500 does not exist in bfloat16.
    """
    if torch.is_autocast_enabled(values.device.type):
        return values.float()
    return values
