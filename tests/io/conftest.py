from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

# RAS: an oblique, anisotropic placement without shear
_A, _B = np.deg2rad([25.0, -15.0])
_ROTATION = np.array(
    [
        [np.cos(_A), -np.sin(_A), 0],
        [np.sin(_A), np.cos(_A), 0],
        [0, 0, 1],
    ]
) @ np.array(
    [
        [1, 0, 0],
        [0, np.cos(_B), -np.sin(_B)],
        [0, np.sin(_B), np.cos(_B)],
    ]
)
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = _ROTATION @ np.diag([0.8, 1.3, 2.1])
OBLIQUE[:3, 3] = [-12.0, 30.5, 7.25]

WriteNifti = Callable[..., Path]


@pytest.fixture
def oblique() -> NDArray[np.float64]:
    """A RAS affine with voxels of 0.8 x 1.3 x 2.1 mm."""
    return OBLIQUE.copy()


@pytest.fixture
def write_nifti(tmp_path: Path) -> WriteNifti:
    """Write an array (i, j, k, ...) with nibabel; edit its header bytes."""

    def write(
        data: NDArray[np.generic],
        affine: NDArray[np.float64] | None = None,
        name: str = 'image.nii',
        edit: Callable[[nib.Nifti1Header], None] | None = None,
    ) -> Path:
        affine = np.diag([-1, -2, 3, 1.0]) if affine is None else affine
        image = nib.Nifti1Image(data, affine)
        image.header.set_xyzt_units('mm', 'sec')
        content = image.to_bytes()
        if edit is not None:
            header = nib.Nifti1Header(content[:348], check=False)
            edit(header)
            content = header.binaryblock + content[348:]
        path = tmp_path / name
        if name.endswith('.gz'):
            content = gzip.compress(content)
        path.write_bytes(content)
        return path

    return write
