"""Windows of a token grid: partition, relative positions, shift mask.

Token grids are (N, *grid, C); windows are (N * count, tokens, C), the
windows of one sample next to each other.

References
----------
Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted
Windows", ICCV 2021, Sec. 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# Added to the logits of pairs that must not attend to each other.
_MASKED = -100.0


def padded_grid(grid: Sequence[int], window: Sequence[int]) -> list[int]:
    """Return the grid grown to whole windows."""
    return [math.ceil(n / w) * w for n, w in zip(grid, window, strict=True)]


def pad_grid(tokens: Tensor, window: Sequence[int]) -> Tensor:
    """Append zero tokens to the end of each axis, up to whole windows.

    Parameters
    ----------
    tokens : (N, *grid, C) torch.Tensor
        Token grid.
    window : sequence of int
        Tokens per axis of a window.
    """
    grid = tokens.shape[1:-1]
    missing = [
        m - n for n, m in zip(grid, padded_grid(grid, window), strict=True)
    ]
    if not any(missing):
        return tokens
    # F.pad counts axes from the last one, here the channels.
    pads = [0, 0]
    for amount in reversed(missing):
        pads += [0, amount]
    return F.pad(tokens, pads)


def crop_grid(tokens: Tensor, grid: Sequence[int]) -> Tensor:
    """Undo `pad_grid`: keep the first `grid` tokens of each axis."""
    return tokens[(slice(None), *(slice(n) for n in grid))]


def partition(tokens: Tensor, window: Sequence[int]) -> Tensor:
    """Cut a token grid into windows.

    Parameters
    ----------
    tokens : (N, *grid, C) torch.Tensor
        Token grid of whole windows.
    window : sequence of int
        Tokens per axis of a window.

    Returns
    -------
    (N * count, prod(window), C) torch.Tensor
        Tokens by window.
    """
    ndim, channels = len(window), tokens.shape[-1]
    split = [tokens.shape[0]]
    for n, w in zip(tokens.shape[1:-1], window, strict=True):
        split += [n // w, w]
    order = [0, *range(1, 2 * ndim, 2), *range(2, 2 * ndim + 1, 2)]
    blocks = tokens.reshape(*split, channels).permute(*order, 2 * ndim + 1)
    return blocks.reshape(-1, math.prod(window), channels)


def unite(
    windows: Tensor, window: Sequence[int], grid: Sequence[int]
) -> Tensor:
    """Undo `partition`.

    Parameters
    ----------
    windows : (N * count, prod(window), C) torch.Tensor
        Tokens by window.
    window : sequence of int
        Tokens per axis of a window.
    grid : sequence of int
        Grid of whole windows.

    Returns
    -------
    (N, *grid, C) torch.Tensor
        Token grid.
    """
    ndim, channels = len(window), windows.shape[-1]
    counts = [n // w for n, w in zip(grid, window, strict=True)]
    blocks = windows.reshape(-1, *counts, *window, channels)
    order = [0]
    for axis in range(ndim):
        order += [1 + axis, 1 + ndim + axis]
    together = blocks.permute(*order, 2 * ndim + 1)
    return together.reshape(-1, *grid, channels)


def relative_position_index(window: Sequence[int]) -> Tensor:
    """Return, for each pair of tokens of a window, their row in the table.

    Offsets are shifted to start at zero and combined row-major.

    Parameters
    ----------
    window : sequence of int
        Tokens per axis of a window.

    Returns
    -------
    (prod(window), prod(window)) torch.Tensor of int64
        Indices into a table of ``prod(2 * window - 1)`` rows.
    """
    axes = [torch.arange(w) for w in window]
    places = torch.stack(torch.meshgrid(axes, indexing='ij')).flatten(1)
    offsets = places[:, :, None] - places[:, None, :]
    index = torch.zeros_like(offsets[0])
    for offset, w in zip(offsets, window, strict=True):
        index = index * (2 * w - 1) + offset + w - 1
    return index


def shift_mask(
    grid: Sequence[int],
    window: Sequence[int],
    shift: Sequence[int],
    like: Tensor,
) -> Tensor:
    """Return what keeps tokens apart that a cyclic shift brought together.

    Parameters
    ----------
    grid : sequence of int
        Grid of whole windows.
    window, shift : sequence of int
        Tokens per axis of a window, and of the shift.
    like : torch.Tensor
        Gives device and dtype.

    Returns
    -------
    (count, prod(window), prod(window)) torch.Tensor
        To be added to the logits: 0 or -100.
    """
    regions = torch.zeros((1, *grid, 1), device=like.device, dtype=torch.int64)
    for axis, (n, w, s) in enumerate(zip(grid, window, shift, strict=True)):
        place = torch.arange(n, device=like.device)
        region = (place >= n - w).long() + (place >= n - s).long()
        around = [1] * (len(grid) + 2)
        around[axis + 1] = n
        regions = regions * 3 + region.reshape(around)
    by_window = partition(regions, window).squeeze(-1)
    apart = by_window[:, None, :] != by_window[:, :, None]
    return apart.to(like.dtype) * _MASKED
