"""A batch of pairs as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.spatial.operators import linear_mode
from napari_adacs.training.pairs import TrainingPair

# Of the moving and of the fixed frame.
Tissue = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Batch:
    """Pairs to train on.

    Parameters
    ----------
    moving, fixed : (N, 1, *shape) torch.Tensor
        Images in [0, 1].
    moving_masks, fixed_masks : (N, L, *shape) torch.Tensor
        Masks of L labels; L is 0 where labels do not take part.
    tissue : tuple of (N, ndim + 1, *shape) torch.Tensor, optional
        Which tissue is at a voxel of the moving and of the fixed frame, as
        its position in the moving image in voxels of that image's file, and
        whether that is known (1) or not (0). None where known motion does
        not take part.
    names : tuple of str
        Names of the pairs, for reports.
    """

    moving: Tensor
    fixed: Tensor
    moving_masks: Tensor
    fixed_masks: Tensor
    tissue: Tissue | None = None
    names: tuple[str, ...] = ()

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        if device.type == self.moving.device.type == 'cpu':
            return self
        return Batch(
            self.moving.to(device, non_blocking=True),
            self.fixed.to(device, non_blocking=True),
            self.moving_masks.to(device, non_blocking=True),
            self.fixed_masks.to(device, non_blocking=True),
            _to(self.tissue, device),
            self.names,
        )


def join(batches: Sequence[Batch]) -> Batch:
    """Put batches one after the other.

    Where some have fewer labels than others, empty masks fill up.
    """
    if len(batches) == 1:
        return batches[0]
    return Batch(
        torch.cat([b.moving for b in batches]),
        torch.cat([b.fixed for b in batches]),
        _join_masks([b.moving_masks for b in batches]),
        _join_masks([b.fixed_masks for b in batches]),
        _join_tissue([b.tissue for b in batches]),
        tuple(name for b in batches for name in b.names),
    )


def _join_masks(masks: Sequence[Tensor]) -> Tensor:
    most = max(m.shape[1] for m in masks)
    filled = []
    for mask in masks:
        count, labels, *shape = mask.shape
        empty = mask.new_zeros(count, most - labels, *shape)
        filled.append(torch.cat([mask, empty], dim=1))
    return torch.cat(filled)


def collate(
    pairs: Sequence[TrainingPair],
    shape: tuple[int, ...],
    labels: Sequence[int] = (),
    motion: bool = False,
) -> Batch:
    """Stack pairs, resampled to a shape.

    Parameters
    ----------
    pairs : sequence of TrainingPair
        Pairs, each of a shape of its own.
    shape : tuple of int
        Grid of the network.
    labels : sequence of int, optional
        Labels whose masks are wanted; empty where a pair has none.
    motion : bool
        Whether the true motion is wanted; unknown where a pair has none.
    """
    return Batch(
        _images([p.moving for p in pairs], shape),
        _images([p.fixed for p in pairs], shape),
        _masks([p.moving_labels for p in pairs], pairs, shape, labels),
        _masks([p.fixed_labels for p in pairs], pairs, shape, labels),
        _join_tissue([_tissue(p, shape) if motion else None for p in pairs]),
    )


def resize(images: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Resample (N, C, *any) linearly to (N, C, *shape)."""
    if tuple(images.shape[2:]) == tuple(shape):
        return images
    return F.interpolate(
        images, size=shape, mode=linear_mode(len(shape)), align_corners=False
    )


def _images(
    images: Sequence[NDArray[np.float32]], shape: tuple[int, ...]
) -> Tensor:
    return torch.cat(
        [resize(torch.from_numpy(i)[None, None], shape) for i in images]
    )


def _masks(
    segmentations: Sequence[NDArray[np.uint8] | None],
    pairs: Sequence[TrainingPair],
    shape: tuple[int, ...],
    labels: Sequence[int],
) -> Tensor:
    if not labels:
        return torch.zeros(len(pairs), 0, *shape)
    masks = [
        np.stack([_mask(s, pair, label) for label in labels])
        for s, pair in zip(segmentations, pairs, strict=True)
    ]
    return torch.cat([resize(torch.from_numpy(m)[None], shape) for m in masks])


def _mask(
    segmentation: NDArray[np.uint8] | None, pair: TrainingPair, label: int
) -> NDArray[np.float32]:
    if segmentation is None:
        return np.zeros(pair.fixed.shape, np.float32)
    mask: NDArray[np.float32] = (segmentation == label).astype(np.float32)
    return mask


def _to(tissue: Tissue | None, device: torch.device) -> Tissue | None:
    if tissue is None:
        return None
    moving, fixed = (t.to(device, non_blocking=True) for t in tissue)
    return moving, fixed


def _join_tissue(parts: Sequence[Tissue | None]) -> Tissue | None:
    there = [part for part in parts if part is not None]
    if not there:
        return None
    moving, fixed = (torch.cat(frames) for frames in zip(*there, strict=True))
    return moving, fixed


def _tissue(pair: TrainingPair, shape: tuple[int, ...]) -> Tissue:
    """Say which tissue is where, in the moving and in the fixed frame."""
    if pair.displacement is None:
        unknown = torch.zeros(1, len(shape) + 1, *shape)
        return unknown, unknown
    places = torch.from_numpy(np.indices(pair.moving.shape, np.float32))
    moved = torch.from_numpy(pair.displacement)
    known = moved.isfinite().all(0, keepdim=True).float()
    moving = torch.cat([places, known])[None]
    fixed = torch.cat([places + moved.nan_to_num(), known])[None]
    return resize(moving, shape), resize(fixed, shape)
