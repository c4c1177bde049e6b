"""ACDC as the papers use it: slices, cropped around the myocardium.

References
----------
Bernard et al., "Deep Learning Techniques for Automatic MRI Cardiac
Multi-Structures Segmentation and Diagnosis", IEEE TMI 37(11), 2018 (the
data).
Zhang et al., MICCAI 2024, Sec. 5 (the preprocessing).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.nifti import read_volume
from napari_adacs.training.preparation.writing import (
    MYOCARDIUM,
    Patient,
    PreparedPair,
    masks,
)

# 80 and 20 of the 100 patients of training/; all of testing/ are for tests.
PARTS = (4.0, 1.0, 0.0)
SIDE = 128


_Kind = TypeVar('_Kind', bound=np.generic)
_INFO = ('*/Info.cfg', 'train*/*/Info.cfg', 'test*/*/Info.cfg')


def find_patients(source: Path) -> list[Patient]:
    """Find patients in ``database``, a folder that holds it, or in one.

    Raises
    ------
    InputError
        If there are none.
    """
    for root in (source, source / 'database', source / 'training'):
        found = [
            Patient(path.parent.name, path.parent, _split(path.parent))
            for pattern in _INFO
            for path in sorted(root.glob(pattern))
        ]
        if found:
            return found
    raise InputError(
        f"There are no patients of ACDC in '{source}'.",
        'Give the folder database of the download, with '
        'training/patient001/Info.cfg and so on.',
    )


def _split(folder: Path) -> str:
    return 'test' if folder.parent.name.startswith('test') else ''


def prepare_patient(patient: Patient) -> Iterator[PreparedPair]:
    """Yield a pair for every slice, also for those without myocardium.

    Raises
    ------
    InputError
        If a file is missing or cannot be used.
    """
    frames = _frames(patient)
    images = [_volume(patient, f'frame{n:02d}') for n in frames]
    labels = [_volume(patient, f'frame{n:02d}_gt') for n in frames]
    shapes = {array.shape for array in (*images, *labels)}
    if len(shapes) > 1:
        raise InputError(
            f'Images and segmentations of {patient.name} have different '
            f'shapes: {sorted(shapes)}.'
        )
    centre = crop_centre(labels[0], patient.name)
    ed, es = (crop(image, centre) for image in images)
    ed_labels, es_labels = (
        crop(array.astype(np.uint8), centre) for array in labels
    )
    for index in range(ed.shape[2]):
        yield PreparedPair(
            f'{patient.name}_slice{index:02d}',
            ed[..., index],
            es[..., index],
            ed_labels[..., index],
            es_labels[..., index],
            masks(ed_labels[..., index]),
            masks(es_labels[..., index]),
        )


def crop_centre(
    labels: NDArray[np.generic], name: str = ''
) -> tuple[int, int]:
    """Return the centroid of the ED myocardium on the middle slice.

    The same centre serves all slices and both frames.

    Parameters
    ----------
    labels : (X, Y, Z) numpy.ndarray
        Segmentation at ED.
    name : str
        For messages.

    Raises
    ------
    InputError
        If the middle slice has no myocardium.
    """
    middle = labels[..., labels.shape[2] // 2] == MYOCARDIUM
    if not middle.any():
        raise InputError(
            f'{name} has no myocardium on its middle slice: there is no '
            'centre to crop around.'
        )
    # The authors keep it in 8 bits, which wraps beyond 255; no image of the
    # data set has its heart there.
    x, y = (round(float(axis.mean())) for axis in np.nonzero(middle))
    return x, y


def crop(volume: NDArray[_Kind], centre: tuple[int, int]) -> NDArray[_Kind]:
    """Cut 128 x 128 pixels out of each slice, the centre at index 64.

    Parameters
    ----------
    volume : (X, Y, Z) numpy.ndarray
        Zero is put where the window reaches beyond it.
    centre : tuple of two int
        Index along the first two axes.
    """
    half = SIDE // 2
    padded: NDArray[_Kind] = np.pad(
        volume, ((half, half), (half, half), (0, 0))
    )
    x, y = centre
    return padded[x : x + SIDE, y : y + SIDE]


def _frames(patient: Patient) -> tuple[int, int]:
    """Return the numbers of the ED and the ES frame from Info.cfg."""
    path = patient.folder / 'Info.cfg'
    try:
        lines = path.read_text('utf-8').splitlines()
        entries = dict(line.split(':', 1) for line in lines if ':' in line)
        return int(entries['ED']), int(entries['ES'])
    except (OSError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise InputError(
            f'Info.cfg of {patient.name} does not say which frames are ED '
            'and ES.'
        ) from error


def _volume(patient: Patient, what: str) -> NDArray[np.generic]:
    found = sorted(patient.folder.glob(f'{patient.name}_{what}.nii*'))
    if not found:
        raise InputError(f'{patient.name} has no {what}.')
    data = read_volume(found[0]).data
    if data.ndim != 3:
        raise InputError(f'{found[0].name} has {data.ndim} axes, not 3.')
    # The papers' files have the axes of nibabel, (x, y, z).
    return data.T
