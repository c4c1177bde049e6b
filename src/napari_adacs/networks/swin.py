"""Swin transformer backbone of TransMorph, 2D and 3D.

Module names equal those of the authors' code, so that its state dicts load.

References
----------
Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted
Windows", ICCV 2021.
Chen et al., "TransMorph: Transformer for unsupervised medical image
registration", MedIA 82, 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor, nn

from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.swin_block import SwinBlock
from napari_adacs.networks.windows import padded_grid, shift_mask

PATCH = 4

# Parities of the tokens that merge into one, in the order of their channels.
PARITIES: dict[int, tuple[tuple[int, ...], ...]] = {
    2: ((0, 0), (1, 0), (0, 1), (1, 1)),
    3: (
        (0, 0, 0),
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (1, 1, 0),
        (0, 1, 1),
        (1, 0, 1),
        (1, 1, 1),
    ),
}


class PatchMerging(nn.Module):
    """Merge 2^ndim neighbouring tokens into one with twice the channels."""

    def __init__(self, ndim: int, dim: int) -> None:
        super().__init__()
        self.parities = PARITIES[ndim]
        self.reduction = nn.Linear(2**ndim * dim, 2 * dim, bias=False)
        self.norm = nn.LayerNorm(2**ndim * dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (N, *grid, C) to (N, *grid / 2, 2 C)."""
        parts = [
            x[(slice(None), *(slice(p, None, 2) for p in parity))]
            for parity in self.parities
        ]
        out: Tensor = self.reduction(self.norm(torch.cat(parts, dim=-1)))
        return out


class Stage(nn.Module):
    """Blocks at one resolution, every second one with shifted windows."""

    def __init__(
        self,
        dim: int,
        heads: int,
        window: Sequence[int],
        drop_paths: Sequence[float],
        merges: bool,
    ) -> None:
        super().__init__()
        self.window = tuple(window)
        self.shift = tuple(w // 2 for w in window)
        unshifted = (0,) * len(window)
        self.blocks = nn.ModuleList(
            SwinBlock(
                dim, heads, window, self.shift if i % 2 else unshifted, p
            )
            for i, p in enumerate(drop_paths)
        )
        self.downsample = PatchMerging(len(window), dim) if merges else None

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (N, *grid, C) to the same shape."""
        whole = padded_grid(x.shape[1:-1], self.window)
        mask = shift_mask(whole, self.window, self.shift, x)
        for block in self.blocks:
            x = block(x, mask)
        return x


class PatchEmbedding(nn.Module):
    """Patches of 4^ndim voxels to tokens."""

    def __init__(self, ndim: int, in_channels: int, dim: int) -> None:
        super().__init__()
        self.proj = convolution(ndim)(in_channels, dim, PATCH, stride=PATCH)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to tokens (N, *shape / 4, dim)."""
        out: Tensor = self.norm(self.proj(x).movedim(1, -1))
        return out


class SwinTransformer(nn.Module):
    """Four stages of features at 1/4, 1/8, 1/16 and 1/32 of the input.

    Parameters
    ----------
    window : sequence of int
        Tokens per axis of a window; its length is the number of axes.
    in_channels : int
        Input channels.
    dim : int
        Channels of the first stage; they double from stage to stage.
    depths, heads : sequence of int
        Blocks and attention heads of each stage.
    drop_path : float
        Rate at the last block, growing linearly from 0 at the first.
    """

    def __init__(
        self,
        window: Sequence[int],
        in_channels: int,
        dim: int,
        depths: Sequence[int],
        heads: Sequence[int],
        drop_path: float,
    ) -> None:
        super().__init__()
        self.patch_embed = PatchEmbedding(len(window), in_channels, dim)
        last = sum(depths) - 1
        rates = iter(drop_path * i / max(last, 1) for i in range(last + 1))
        self.layers = nn.ModuleList(
            Stage(
                dim * 2**k,
                heads[k],
                window,
                list(islice(rates, depth)),
                merges=k < len(depths) - 1,
            )
            for k, depth in enumerate(depths)
        )
        for k in range(len(depths)):
            self.add_module(f'norm{k}', nn.LayerNorm(dim * 2**k))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features (N, dim * 2^k, *shape / 2^(k+2)) of stages."""
        tokens, features = self.patch_embed(x), []
        for k, stage in enumerate(self.layers):
            tokens = stage(tokens)
            normalised = self.get_submodule(f'norm{k}')(tokens)
            features.append(normalised.movedim(-1, 1).contiguous())
            if stage.downsample is not None:
                # The next stage continues from what was not normalised.
                tokens = stage.downsample(tokens)  # type: ignore[operator]
        return features
