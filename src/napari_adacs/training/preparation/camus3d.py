"""Volumes of real echo out of CAMUS: apical slices, revolved.

There is no collection of 3D echo that a model may be trained on here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.training.pairs import TrainingPair, read_mat
from napari_adacs.training.preparation.revolving import revolve
from napari_adacs.training.preparation.writing import (
    SPLITS,
    Patient,
    PreparedPair,
    masks,
)

# Bodies that are made of one slice to train on.
_BODIES = 2


def find_patients(source: Path) -> list[Patient]:
    """Find the four-chamber pairs that ``prepare camus`` has written.

    Raises
    ------
    InputError
        If there are none.
    """
    found = [
        Patient(path.stem, path.parent, split)
        for split in SPLITS
        for path in sorted((source / split).glob('*_4CH.mat'))
    ]
    if not found:
        raise InputError(
            f"There are no pairs of CAMUS in '{source}'.",
            'Give the folder that `napari-adacs prepare camus` has written.',
        )
    return found


def prepare_patient(patient: Patient) -> Iterator[PreparedPair]:
    """Yield the volumes that are made of one pair of slices.

    Raises
    ------
    InputError
        If its labels show no left ventricle at end-diastole.
    """
    pair = read_mat(patient.folder / f'{patient.name}.mat')
    for number in range(_BODIES if patient.split == 'train' else 1):
        seed = zlib.crc32(patient.name.encode())
        body = revolve(pair, np.random.default_rng([seed, number]))
        yield _prepared(body, f'{patient.name}_{number}')


def _prepared(pair: TrainingPair, name: str) -> PreparedPair:
    assert pair.moving_labels is not None
    assert pair.fixed_labels is not None
    return PreparedPair(
        name,
        _bytes(pair.moving),
        _bytes(pair.fixed),
        pair.moving_labels.astype(np.uint8),
        pair.fixed_labels.astype(np.uint8),
        masks(pair.moving_labels),
        masks(pair.fixed_labels),
    )


def _bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    out: NDArray[np.uint8] = np.round(image * 255).clip(0, 255).astype('uint8')
    return out
