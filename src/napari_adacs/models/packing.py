"""Weights in fewer bits, for files that everybody downloads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Storage = Literal['single', 'half', 'byte']

_SCALE = '.scale'
_LARGEST = 127
# Of fewer values the scale would take as much room as what it saves.
_SHORTEST_ROW = 16


def pack(
    tensors: Mapping[str, Tensor], weights: Collection[str], storage: Storage
) -> dict[str, Tensor]:
    """Return the tensors of a network as they are stored.

    Parameters
    ----------
    tensors : mapping of str to torch.Tensor
        The state of the network.
    weights : collection of str
        Which of them were learnt. The others, such as a noise schedule, keep
        their precision; whole numbers take no more bytes than they need.
    storage : {'single', 'half', 'byte'}
        32 or 16 bits per weight, or 8 with one scale for the weights of an
        output channel (the first axis), stored as ``NAME.scale``. Biases and
        other short rows then take 16 bits.
    """
    if storage == 'single':
        return dict(tensors)
    out: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name not in weights:
            out[name] = _narrow(value)
        elif storage == 'byte' and _has_long_rows(value):
            out[name], out[name + _SCALE] = _to_bytes(value)
        else:
            out[name] = value.half()
    return out


def unpack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a network from what was stored."""
    out: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name.endswith(_SCALE) and name.removesuffix(_SCALE) in tensors:
            continue
        out[name] = value.float()
        scale = tensors.get(name + _SCALE)
        if scale is not None:
            out[name] *= scale.reshape(len(value), *[1] * (value.ndim - 1))
    return out


def _has_long_rows(value: Tensor) -> bool:
    return value.ndim > 1 and value[0].numel() >= _SHORTEST_ROW


def _to_bytes(value: Tensor) -> tuple[Tensor, Tensor]:
    import torch

    rows = value.float().flatten(1)
    scale = rows.abs().amax(1, keepdim=True) / _LARGEST
    # A row of zeros has no scale of its own.
    scale[scale == 0] = 1
    whole = (rows / scale).round().to(torch.int8)
    return whole.reshape(value.shape), scale[:, 0].contiguous()


def _narrow(value: Tensor) -> Tensor:
    """Return whole numbers in the narrowest type that holds them."""
    import torch

    if value.is_floating_point() or value.numel() == 0:
        return value
    for dtype in (torch.uint8, torch.int16, torch.int32):
        limits = torch.iinfo(dtype)
        if limits.min <= value.min() and value.max() <= limits.max:
            return value.to(dtype)
    return value
