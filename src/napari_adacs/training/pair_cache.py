"""Pairs that are computed, kept on disk with 256 grey levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from napari_adacs.io.atomic import atomic_path
from napari_adacs.training.pairs import TrainingPair

_KEYS = ('moving', 'fixed', 'moving_labels', 'fixed_labels')
_MOTION = 'displacement'
_WHITE = np.float32(255)


def kept_pair(
    path: Path,
    name: str,
    make: Callable[[], TrainingPair],
    moved: bool = False,
) -> TrainingPair:
    """Return a pair from its file, which is written first if need be.

    Parameters
    ----------
    path : Path
        A .npz file; one that is missing or damaged is made anew.
    name : str
        Name of the pair.
    make : callable
        Computes the pair.
    moved : bool
        Whether its true displacement is needed, so that a file without one
        is made anew. It is kept in half precision.
    """
    pair = _read(path, name, moved)
    if pair is None:
        pair = replace(as_kept(make()), name=name)
        _save(path, pair)
    return pair


def as_kept(pair: TrainingPair) -> TrainingPair:
    """Return a pair as it comes back from the disk."""
    motion = pair.displacement
    if motion is not None:
        motion = motion.astype(np.float16).astype(np.float32)
    return replace(
        pair,
        moving=np.round(pair.moving * 255) / _WHITE,
        fixed=np.round(pair.fixed * 255) / _WHITE,
        displacement=motion,
    )


def _read(path: Path, name: str, moved: bool) -> TrainingPair | None:
    """Read a pair; None where there is no whole one."""
    try:
        with np.load(path) as data:
            moving, fixed, moving_labels, fixed_labels = (
                data[key] for key in _KEYS
            )
            displacement = data[_MOTION].astype(np.float32) if moved else None
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
    return TrainingPair(
        moving.astype(np.float32) / _WHITE,
        fixed.astype(np.float32) / _WHITE,
        moving_labels,
        fixed_labels,
        name,
        displacement=displacement,
    )


def _save(path: Path, pair: TrainingPair) -> None:
    arrays = {
        'moving': np.round(pair.moving * 255).astype(np.uint8),
        'fixed': np.round(pair.fixed * 255).astype(np.uint8),
        'moving_labels': np.asarray(pair.moving_labels),
        'fixed_labels': np.asarray(pair.fixed_labels),
    }
    if pair.displacement is not None:
        arrays[_MOTION] = pair.displacement.astype(np.float16)
    with atomic_path(path) as temporary, open(temporary, 'wb') as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
