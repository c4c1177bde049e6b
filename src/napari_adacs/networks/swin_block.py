"""Block of the Swin transformer: attention in windows, then an MLP.

Module names equal those of the authors' code, so that its state dicts load.

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
from torch import Tensor, nn

from napari_adacs.networks.windows import (
    crop_grid,
    pad_grid,
    partition,
    relative_position_index,
    unite,
)

_MLP_RATIO = 4
_BIAS_INIT_SD = 0.02


class DropPath(nn.Module):
    """Leave out a residual branch, per sample, while training.

    References
    ----------
    Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Drop samples of (N, ...) and scale the others up."""
        if self.rate == 0 or not self.training:
            return x
        kept = 1 - self.rate
        chosen = x.new_empty(x.shape[0], *([1] * (x.ndim - 1)))
        return x * chosen.bernoulli_(kept) / kept


class WindowAttention(nn.Module):
    """Self-attention in windows with a relative position bias."""

    relative_position_index: Tensor

    def __init__(self, dim: int, window: Sequence[int], heads: int) -> None:
        super().__init__()
        self.heads = heads
        rows = math.prod(2 * w - 1 for w in window)
        self.relative_position_bias_table = nn.Parameter(
            torch.zeros(rows, heads)
        )
        nn.init.trunc_normal_(
            self.relative_position_bias_table, std=_BIAS_INIT_SD
        )
        self.register_buffer(
            'relative_position_index', relative_position_index(window)
        )
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """Attend within (windows, tokens, C); `mask` adds to the logits."""
        count, tokens, dim = windows.shape
        heads = self.qkv(windows).view(
            count, tokens, 3, self.heads, dim // self.heads
        )
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(
            query, key, value, attn_mask=self._bias(count, mask)
        )
        attended: Tensor = self.proj(out.transpose(1, 2).flatten(2))
        return attended

    def _bias(self, count: int, mask: Tensor | None) -> Tensor:
        rows = self.relative_position_bias_table[self.relative_position_index]
        bias = rows.permute(2, 0, 1)[None]
        if mask is None:
            return bias
        masked = bias + mask[:, None]
        samples = count // len(mask)
        return masked if samples == 1 else masked.repeat(samples, 1, 1, 1)


class Mlp(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, _MLP_RATIO * dim)
        self.fc2 = nn.Linear(_MLP_RATIO * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class SwinBlock(nn.Module):
    """Window attention and MLP, each normalised before and residual."""

    def __init__(
        self,
        dim: int,
        heads: int,
        window: Sequence[int],
        shift: Sequence[int],
        drop_path: float,
    ) -> None:
        super().__init__()
        self.window, self.shift = tuple(window), tuple(shift)
        self.norm1 = nn.LayerNorm(dim)
        self.attn = WindowAttention(dim, window, heads)
        self.drop_path = DropPath(drop_path)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim)

    @property
    def shifted(self) -> bool:
        """Whether the windows are shifted; a window of 1 prevents it."""
        return min(self.shift) > 0

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map tokens (N, *grid, C) to the same shape."""
        x = x + self.drop_path(self.attend(self.norm1(x), mask))
        out: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return out

    def attend(self, x: Tensor, mask: Tensor) -> Tensor:
        """Let tokens (N, *grid, C) attend within their windows."""
        # Padding tokens are zeros that take part, as in the authors' code.
        grid = x.shape[1:-1]
        x = pad_grid(x, self.window)
        whole, axes = x.shape[1:-1], tuple(range(1, x.ndim - 1))
        if self.shifted:
            x = x.roll([-s for s in self.shift], axes)
        windows = self.attn(
            partition(x, self.window), mask if self.shifted else None
        )
        x = unite(windows, self.window, whole)
        if self.shifted:
            x = x.roll(self.shift, axes)
        return crop_grid(x, grid)
