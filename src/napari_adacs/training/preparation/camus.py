"""CAMUS as the papers use it: whole images, resized to 128 x 128.

References
----------
Leclerc et al., "Deep Learning for Segmentation Using an Open Large-Scale
Dataset in 2D Echocardiography", IEEE TMI 38(9), 2019 (the data).
Zhang et al., MICCAI 2024, Sec. 5 (the preprocessing).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.nifti import read_volume
from napari_adacs.training.preparation.writing import (
    Patient,
    PreparedPair,
    masks,
)

VIEWS = ('2CH', '4CH')
# 300, 100 and 100 patients of 500.
PARTS = (3.0, 1.0, 1.0)
SIDE = 128


def find_patients(source: Path) -> list[Patient]:
    """Find patients in ``database_nifti`` or a folder that holds it.

    Raises
    ------
    InputError
        If there are none.
    """
    for root in (source, source / 'database_nifti'):
        found = [
            Patient(path.name, path)
            for path in sorted(root.glob('*'))
            if path.is_dir() and any(path.glob(f'{path.name}_*CH_ED.nii*'))
        ]
        if found:
            return found
    raise InputError(
        f"There are no patients of CAMUS in '{source}'.",
        'Give the folder database_nifti of the download, with '
        'patient0001/patient0001_4CH_ED.nii.gz and so on.',
    )


def prepare_patient(patient: Patient) -> Iterator[PreparedPair]:
    """Yield the pair of each view.

    Raises
    ------
    InputError
        If a file is missing or cannot be used.
    """
    views = [v for v in VIEWS if _file(patient, f'{v}_ED') is not None]
    for view in views:
        ed, es = (_image(patient, f'{view}_{f}') for f in ('ED', 'ES'))
        ed_labels, es_labels = (
            _image(patient, f'{view}_{f}_gt') for f in ('ED', 'ES')
        )
        for image, labels in ((ed, ed_labels), (es, es_labels)):
            if image.shape != labels.shape:
                raise InputError(
                    f'The {view} segmentation of {patient.name} has the '
                    f'shape {labels.shape}, its image {image.shape}.'
                )
        yield PreparedPair(
            f'{patient.name}_{view}',
            resized(ed),
            resized(es),
            resized_labels(ed_labels),
            resized_labels(es_labels),
            resized_labels(masks(ed_labels)),
            resized_labels(masks(es_labels)),
        )


def resized(image: NDArray[np.generic]) -> NDArray[np.float32]:
    """Resize to 128 x 128 as scikit-image does by default.

    Linear, smoothed before where voxels grow; the aspect ratio is not kept.
    """
    from skimage.transform import resize

    small = resize(image.astype(np.float64), (SIDE, SIDE))  # type: ignore[no-untyped-call]
    out: NDArray[np.float32] = small.astype(np.float32)
    return out


def resized_labels(labels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Resize to 128 x 128 by the nearest pixel."""
    from skimage.transform import resize

    small = resize(  # type: ignore[no-untyped-call]
        labels,
        (SIDE, SIDE),
        order=0,
        preserve_range=True,
        anti_aliasing=False,
    )
    out: NDArray[np.uint8] = small.astype(np.uint8)
    return out


def _file(patient: Patient, what: str) -> Path | None:
    found = sorted(patient.folder.glob(f'{patient.name}_{what}.nii*'))
    return found[0] if found else None


def _image(patient: Patient, what: str) -> NDArray[np.generic]:
    file = _file(patient, what)
    if file is None:
        raise InputError(f'{patient.name} has no {what}.')
    data = read_volume(file).data
    if data.ndim != 2:
        raise InputError(f'{file.name} has {data.ndim} axes instead of 2.')
    # The papers' files have the axes of nibabel, (x, y).
    return data.T
