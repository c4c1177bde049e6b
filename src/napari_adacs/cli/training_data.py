"""What ``napari-adacs train`` learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom

from napari_adacs.errors import InputError
from napari_adacs.training.batch import resize
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.pairs import (
    MatFolder,
    PairList,
    PairSource,
    PairUnion,
    TrainingPair,
)
from napari_adacs.training.phantom_pairs import PhantomPairs

PHANTOM = 'phantom:'
_PHANTOM_SHAPE = {2: (128, 128), 3: (64, 64, 64)}
# Validation pairs have seeds that no training pair reaches.
_FIRST_VALIDATION_SEED = 90_000
_MOST_VALIDATION_PAIRS = 8


def open_pairs(
    data: Sequence[str], config: TrainConfig, folder: Path
) -> tuple[PairSource, PairSource | None]:
    """Find training and validation pairs.

    Parameters
    ----------
    data : sequence of str
        Folders with ``train/`` and, optionally, ``val/`` of .mat files; or
        ``phantom:N`` for N pairs of the echo phantom. All are trained on,
        the first one is validated on.
    config : TrainConfig
        Says the number of axes and the network's grid.
    folder : Path
        Folder of the run; phantom pairs are kept in it.

    Returns
    -------
    training : PairSource
    validation : PairSource or None

    Raises
    ------
    InputError
        If there are no pairs, or they have another number of axes.
    """
    sources = [
        _phantom(name, config, folder)
        if name.startswith(PHANTOM)
        else _folder(name, config)
        for name in data
    ]
    training = [source for source, _ in sources]
    held_out = sources[0][1]
    if held_out is not None:
        held_out = _on_network_grid(held_out, config)
    return training[0] if len(training) == 1 else PairUnion(training), held_out


def _folder(
    name: str, config: TrainConfig
) -> tuple[PairSource, PairSource | None]:
    root = Path(name).expanduser()
    if not (root / 'train').is_dir():
        raise InputError(
            f"'{name}' has no folder train/.",
            f'Give a folder with train/ and val/ of .mat files, or '
            f'{PHANTOM}N.',
        )
    training = MatFolder(root / 'train')
    _check_axes(training[0], config)
    held_out = MatFolder(root / 'val') if (root / 'val').is_dir() else None
    return training, held_out


def _phantom(
    name: str, config: TrainConfig, folder: Path
) -> tuple[PairSource, PairSource]:
    number = name.removeprefix(PHANTOM)
    count = int(number) if number.isdecimal() else 0
    if not 0 < count <= _FIRST_VALIDATION_SEED:
        raise InputError(
            f"'{number}' is not a number of phantom pairs.",
            f'Use {PHANTOM}N with N from 1 to {_FIRST_VALIDATION_SEED}.',
        )
    shape, kept = _PHANTOM_SHAPE[config.ndim], folder / 'phantom'
    held_out = min(count, _MOST_VALIDATION_PAIRS)
    return PhantomPairs(shape, count, 0, kept), PhantomPairs(
        shape, held_out, _FIRST_VALIDATION_SEED, kept
    )


def _check_axes(pair: TrainingPair, config: TrainConfig) -> None:
    if pair.moving.ndim != config.ndim:
        raise InputError(
            f'The pairs are {pair.moving.ndim}D and the configuration is for '
            f'{config.ndim}D.',
            "Change 'shape' in the configuration.",
        )


def _on_network_grid(pairs: PairSource, config: TrainConfig) -> PairSource:
    """Resample validation pairs, as training does with its batches."""
    _check_axes(pairs[0], config)
    return PairList(
        [_resized(pairs[i], config.shape) for i in range(len(pairs))]
    )


def _resized(pair: TrainingPair, shape: tuple[int, ...]) -> TrainingPair:
    if pair.moving.shape == shape:
        return pair
    return replace(
        pair,
        moving=_image(pair.moving, shape),
        fixed=_image(pair.fixed, shape),
        moving_labels=_labels(pair.moving_labels, shape),
        fixed_labels=_labels(pair.fixed_labels, shape),
    )


def _image(
    values: NDArray[np.float32], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    resized: NDArray[np.float32] = resize(
        torch.from_numpy(values)[None, None], shape
    )[0, 0].numpy()
    return resized


def _labels(
    values: NDArray[np.uint8] | None, shape: tuple[int, ...]
) -> NDArray[np.uint8] | None:
    if values is None:
        return None
    factors = [n / m for n, m in zip(shape, values.shape, strict=True)]
    resized: NDArray[np.uint8] = zoom(
        values, factors, order=0, mode='grid-constant', grid_mode=True
    )
    return resized
