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
_WHITE = np.float32(255)


def kept_pair(
    path: Path, name: str, make: Callable[[], TrainingPair]
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
    """
    pair = _read(path, name)
    if pair is None:
        pair = replace(as_kept(make()), name=name)
        _save(path, pair)
    return pair


def as_kept(pair: TrainingPair) -> TrainingPair:
    """Return a pair as it comes back from the disk."""
    return replace(
        pair,
        moving=np.round(pair.moving * 255) / _WHITE,
        fixed=np.round(pair.fixed * 255) / _WHITE,
    )


def _read(path: Path, name: str) -> TrainingPair | None:
    """Read a pair; None where there is no whole one."""
    try:
        with np.load(path) as data:
            moving, fixed, moving_labels, fixed_labels = (
                data[key] for key in _KEYS
            )
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
    return TrainingPair(
        moving.astype(np.float32) / _WHITE,
        fixed.astype(np.float32) / _WHITE,
        moving_labels,
        fixed_labels,
        name,
    )


def _save(path: Path, pair: TrainingPair) -> None:
    with atomic_path(path) as temporary, open(temporary, 'wb') as file:
        np.savez_compressed(
            file,
            moving=np.round(pair.moving * 255).astype(np.uint8),
            fixed=np.round(pair.fixed * 255).astype(np.uint8),
            moving_labels=np.asarray(pair.moving_labels),
            fixed_labels=np.asarray(pair.fixed_labels),
        )
