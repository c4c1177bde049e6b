"""Which result a review belongs to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.io.itk_field import voxels_to_world

if TYPE_CHECKING:
    from napari_adacs.app.session import Run
    from napari_adacs.spatial.field import DisplacementField

FOLDER_VARIABLE = 'NAPARI_ADACS_REVIEWS'
REVIEW_FILE = 'review.json'


@dataclass(frozen=True)
class Identity:
    """What a result is recognised by.

    Parameters
    ----------
    key : str
        SHA-256 of the displacement as files hold it, and of what the run
        record says of the images.
    moving, fixed : str
        What they are called.
    model : str
        Name of the model.
    shape : tuple of int
        Of the fixed grid.
    """

    key: str
    moving: str
    fixed: str
    model: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f'{self.moving} → {self.fixed} [{self.model}]'


def identify(run: Run) -> Identity:
    """Return the identity of a run; call it in a worker.

    The displacement counts as files hold it, in the world and in single
    precision: the same bits before it is saved and after it is read again.
    """
    field = run.result.field
    known = run.field_digest
    digest = hashlib.sha256()
    digest.update((known or field_digest(field)).encode())
    for role in ('moving', 'fixed'):
        digest.update(_input_digest(run.record, role).encode())
    return Identity(
        digest.hexdigest(),
        str(run.moving),
        str(run.fixed),
        run.result.model_name,
        field.grid.shape,
    )


def field_digest(field: DisplacementField) -> str:
    """Return the SHA-256 of a displacement as `save_displacement` has it."""
    return world_digest(voxels_to_world(field.voxels, field.grid))


def world_digest(world: NDArray[np.float32]) -> str:
    """Return the SHA-256 of a displacement in the world."""
    values = np.ascontiguousarray(world, np.float32)
    return hashlib.sha256(values.reshape(-1).view(np.uint8).data).hexdigest()


def review_folder() -> Path:
    """Return where reviews are kept of results that are not saved.

    The environment variable NAPARI_ADACS_REVIEWS overrides the default.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path.home() / '.napari-adacs' / 'reviews'


def review_path(key: str, folder: Path | None) -> Path:
    """Return the file of a review: beside the result if that is saved.

    Parameters
    ----------
    key : str
        `Identity.key`.
    folder : Path or None
        Folder of the result.
    """
    if folder is not None:
        return folder / REVIEW_FILE
    return review_folder() / f'{key[:32]}.json'


def _input_digest(record: Mapping[str, Any], role: str) -> str:
    inputs = record.get('inputs')
    described = inputs.get(role) if isinstance(inputs, Mapping) else None
    if not isinstance(described, Mapping):
        return ''
    return str(described.get('sha256', ''))
