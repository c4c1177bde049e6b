"""Random changes of a batch of pairs, on the tensors.

Both frames of a pair are changed alike, except for what breaks their
correspondence on purpose.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from napari_adacs.spatial.operators import linear_mode, warp
from napari_adacs.training.batch import Batch
from napari_adacs.training.sections import AugmentConfig


def augment(batch: Batch, config: AugmentConfig, rng: Generator) -> Batch:
    """Return a changed copy of a batch."""
    tissue = batch.tissue or ()
    frames = [
        torch.cat(channels, dim=1)
        for channels in (
            (batch.moving, batch.moving_masks, *tissue[:1]),
            (batch.fixed, batch.fixed_masks, *tissue[1:]),
        )
    ]
    frames = _orient(frames, config, rng)
    if config.warp > 0:
        frames = _deform(frames, config.warp, rng)
    pair = torch.cat([frame[:, :1] for frame in frames], dim=1)
    pair = _intensities(pair, config, rng)
    # What is attached to tissue stays what it is, wherever that goes.
    masks = batch.moving_masks.shape[1]
    attached = [frame[:, 1:].tensor_split([masks], dim=1) for frame in frames]
    return Batch(
        pair[:, :1].contiguous(),
        pair[:, 1:].contiguous(),
        attached[0][0].contiguous(),
        attached[1][0].contiguous(),
        (attached[0][1].contiguous(), attached[1][1].contiguous())
        if tissue
        else None,
    )


def _intensities(
    pair: Tensor, config: AugmentConfig, rng: Generator
) -> Tensor:
    if config.blur > 0:
        pair = _blur(pair, config.blur, rng)
    background = pair <= 0
    if config.gamma > 0:
        pair = _gamma(pair, config.gamma, rng, per_frame=False)
    if config.frame_gamma > 0:
        pair = _gamma(pair, config.frame_gamma, rng, per_frame=True)
    if config.nuisance > 0:
        pair = _nuisance(pair, config.nuisance, rng)
    if config.invert > 0:
        pair = _invert(pair, config.invert, rng)
    if config.noise > 0:
        level = _uniform(pair.shape[0], pair.ndim, rng) * config.noise
        pair = pair + level * torch.randn(pair.shape, generator=rng)
    # The sector's outside stays exactly empty, as scanners leave it.
    return pair.clamp(0, 1).masked_fill(background, 0)


def _uniform(count: int, ndim: int, rng: Generator) -> Tensor:
    values = torch.rand(count, generator=rng)
    return values.view(count, *([1] * (ndim - 1)))


def _coin(rng: Generator, chance: float = 0.5) -> bool:
    return bool(torch.rand((), generator=rng) < chance)


def _orient(
    frames: list[Tensor], config: AugmentConfig, rng: Generator
) -> list[Tensor]:
    chosen = [axis + 2 for axis in config.flip if _coin(rng)]
    if chosen:
        frames = [f.flip(chosen) for f in frames]
    if config.transpose:
        drawn = torch.randperm(len(config.transpose), generator=rng).tolist()
        order = list(range(frames[0].ndim))
        for target, source in zip(config.transpose, drawn, strict=True):
            order[target + 2] = config.transpose[source] + 2
        frames = [f.permute(order) for f in frames]
    if config.swap and _coin(rng):
        frames = frames[::-1]
    return frames


def _smooth_noise(
    count: int,
    channels: int,
    shape: tuple[int, ...],
    cells: int,
    rng: Generator,
) -> Tensor:
    coarse = torch.randn(
        count, channels, *([cells] * len(shape)), generator=rng
    )
    return F.interpolate(
        coarse, size=shape, mode=linear_mode(len(shape)), align_corners=True
    )


def _deform(frames: list[Tensor], sd: float, rng: Generator) -> list[Tensor]:
    count, shape = frames[0].shape[0], tuple(frames[0].shape[2:])
    field = _smooth_noise(count, len(shape), shape, 5, rng) * sd
    field = field * _uniform(count, frames[0].ndim, rng)
    return [warp(frame, field) for frame in frames]


def _blur(pair: Tensor, largest: float, rng: Generator) -> Tensor:
    sd = float(torch.rand((), generator=rng)) * largest
    if sd < 0.2:
        return pair
    radius = max(1, math.ceil(2 * sd))
    x = torch.arange(-radius, radius + 1, dtype=pair.dtype)
    kernel = torch.exp(-(x**2) / (2 * sd**2))
    kernel = kernel / kernel.sum()
    ndim = pair.ndim - 2
    convolve = F.conv2d if ndim == 2 else F.conv3d
    flat = pair.flatten(0, 1)[:, None]
    for axis in range(ndim):
        view = [1] * ndim
        view[axis] = kernel.numel()
        padding = [0] * ndim
        padding[axis] = radius
        flat = convolve(flat, kernel.view(1, 1, *view), padding=padding)
    return flat[:, 0].view_as(pair)


def _gamma(
    pair: Tensor, spread: float, rng: Generator, per_frame: bool
) -> Tensor:
    frames = 2 if per_frame else 1
    exponent = torch.randn(pair.shape[0], frames, generator=rng) * spread
    view = (pair.shape[0], frames, *([1] * (pair.ndim - 2)))
    return pair.clamp_min(0).pow(torch.exp(exponent).view(view))


def _invert(pair: Tensor, chance: float, rng: Generator) -> Tensor:
    flags = _uniform(pair.shape[0], pair.ndim, rng) < chance
    return torch.where(flags, 1 - pair, pair)


def _nuisance(pair: Tensor, chance: float, rng: Generator) -> Tensor:
    """Darken or haze a random part of one frame of some pairs."""
    out = pair.clone()
    for sample in range(pair.shape[0]):
        if not _coin(rng, chance):
            continue
        frame = int(_coin(rng))
        shadow = _coin(rng, 0.7)
        region = (
            _streak(pair.shape[2:], rng)
            if shadow
            else _blob(pair.shape[2:], rng)
        )
        image = out[sample, frame]
        strength = 0.6 + 0.4 * float(torch.rand((), generator=rng))
        if shadow:
            changed = image * (1 - strength * region)
        else:
            haze = strength * region * 0.7
            changed = image + haze * (1 - image)
        out[sample, frame] = changed
    return out


def _streak(shape: torch.Size, rng: Generator) -> Tensor:
    """Return a soft wedge in [0, 1] that starts at a random border point."""
    ndim = len(shape)
    axes = [torch.linspace(-1, 1, n) for n in shape]
    x = torch.stack(torch.meshgrid(axes, indexing='ij'))
    apex = torch.rand(ndim, generator=rng) * 0.6 - 0.3
    side = int(torch.randint(ndim, (), generator=rng))
    apex[side] = 1.1 if _coin(rng) else -1.1
    target = torch.rand(ndim, generator=rng) * 1.2 - 0.6
    axis = F.normalize(target - apex, dim=0)
    view = (ndim, *([1] * ndim))
    ray = x - apex.view(view)
    distance = ray.norm(dim=0).clamp_min(1e-3)
    cosine = (ray * axis.view(view)).sum(0) / distance
    width = 0.06 + 0.18 * float(torch.rand((), generator=rng))
    angle = torch.arccos(cosine.clamp(-1, 1))
    start = 0.3 + 0.9 * float(torch.rand((), generator=rng))
    lateral = torch.sigmoid((width - angle) / (0.15 * width))
    return lateral * torch.sigmoid((distance - start) / 0.08)


def _blob(shape: torch.Size, rng: Generator) -> Tensor:
    """Return a soft ellipsoid in [0, 1]."""
    ndim = len(shape)
    axes = [torch.linspace(-1, 1, n) for n in shape]
    x = torch.stack(torch.meshgrid(axes, indexing='ij'))
    view = (ndim, *([1] * ndim))
    centre = (torch.rand(ndim, generator=rng) * 1.2 - 0.6).view(view)
    radius = (0.15 + 0.3 * torch.rand(ndim, generator=rng)).view(view)
    distance = ((x - centre) / radius).norm(dim=0)
    return torch.sigmoid((1 - distance) / 0.2)
