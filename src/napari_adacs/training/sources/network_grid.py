"""Validation pairs on the grid of the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom

from napari_adacs.training.batch import resize
from napari_adacs.training.pairs import PairList, PairSource, TrainingPair


def on_network_grid(pairs: PairSource, shape: tuple[int, ...]) -> PairList:
    """Resample validation pairs, as training does with its batches.

    Parameters
    ----------
    pairs : PairSource
        Pairs on grids of their own.
    shape : tuple of int
        Grid of the network.
    """
    return PairList(
        [resized(pairs[i], tuple(shape)) for i in range(len(pairs))]
    )


def resized(pair: TrainingPair, shape: tuple[int, ...]) -> TrainingPair:
    """Resample one pair: images linearly, labels by the nearest voxel."""
    if pair.moving.shape == shape:
        return pair
    factors = [m / n for n, m in zip(shape, pair.moving.shape, strict=True)]
    steps = pair.spacing or (1.0,) * len(shape)
    return replace(
        pair,
        grid=None,
        spacing=tuple(s * f for s, f in zip(steps, factors, strict=True)),
        moving=_image(pair.moving, shape),
        fixed=_image(pair.fixed, shape),
        moving_labels=_labels(pair.moving_labels, shape),
        fixed_labels=_labels(pair.fixed_labels, shape),
    )


def _image(
    values: NDArray[np.float32], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    out: NDArray[np.float32] = resize(
        torch.from_numpy(values)[None, None], shape
    )[0, 0].numpy()
    return out


def _labels(
    values: NDArray[np.uint8] | None, shape: tuple[int, ...]
) -> NDArray[np.uint8] | None:
    if values is None:
        return None
    factors = [n / m for n, m in zip(shape, values.shape, strict=True)]
    out: NDArray[np.uint8] = zoom(
        values, factors, order=0, mode='grid-constant', grid_mode=True
    )
    return out
