"""The data of a NIfTI file: from bytes to an array, and back."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.io.byte_source import ByteSource
from napari_adacs.io.memory import check_budget
from napari_adacs.io.nifti_grid import file_affine
from napari_adacs.io.nifti_header import VOXEL_UNITS, NiftiHeader
from napari_adacs.spatial.grid import Grid

# nibabel is typed in part, so its images are Any here
_NiftiImage: Any = nib.Nifti1Image
_SUFFIXES = ('.nii', '.nii.gz')
# dim is a 16-bit integer in NIfTI-1
_LONGEST_AXIS = 32767


def read_array(
    source: ByteSource, header: NiftiHeader, max_bytes: int | None = None
) -> NDArray[Any]:
    """Read the data behind a header, with the axes of the file reversed.

    Parameters
    ----------
    source : ByteSource
        The open file, just behind its header.
    header : NiftiHeader
        Its checked header.
    max_bytes : int, optional
        Most memory the array may take; a quarter of what is free if omitted.

    Returns
    -------
    numpy.ndarray
        C-contiguous array of shape `header.dims[::-1]`, native byte order.

    Raises
    ------
    InputError
        If the file is shorter or longer than declared, damaged, or would
        take more memory than it may.
    """
    total = header.total
    source.check_declared(total)
    size = header.payload // header.dtype.itemsize
    scaled = 4 * size if header.scaling else 0
    check_budget(header.name, header.payload + scaled, max_bytes)
    data = np.empty(size, dtype=header.dtype)
    source.skip_to(header.offset, total)
    source.fill(data.view(np.uint8).data, total)
    source.finish(total)
    if not data.dtype.isnative:
        data = data.byteswap(inplace=True).view(data.dtype.newbyteorder('='))
    if header.scaling:
        data = _scaled(data, *header.scaling)
    return data.reshape(header.dims[::-1])


@np.errstate(all='ignore')
def _scaled(
    data: NDArray[Any], slope: float, inter: float
) -> NDArray[np.float32]:
    scaled = data.astype(np.float32)
    scaled *= np.float32(slope)
    scaled += np.float32(inter)
    return scaled


def in_file_order(data: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """Put an array in the order of the axes of a file.

    Parameters
    ----------
    data : ([T,] *axes) numpy.ndarray
        Values with time first.
    axes : tuple of int
        The spatial axes that are stored as i, j[, k].

    Returns
    -------
    (I, J[, K[, T]]) numpy.ndarray
        A view; a cine of planes gets an axis of one slice, K.
    """
    has_time = data.ndim > len(axes)
    if has_time:
        data = np.moveaxis(data, 0, -1)
    stored = data.transpose(*axes, *range(len(axes), data.ndim))
    if has_time and len(axes) == 2:
        stored = stored[:, :, None, :]
    return stored


def from_file_order(data: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Put an array from a file in the order of a grid.

    Parameters
    ----------
    data : numpy.ndarray
        Values with the axes of the file reversed; others may stand before
        those of space.
    grid : Grid
        From `nifti_grid.upright`.

    Returns
    -------
    (..., *grid.shape) numpy.ndarray
        C-contiguous; the same array where its axes are in order already.
    """
    if grid.file_axes is None:
        return data
    lead = data.ndim - grid.ndim
    # the last axis of the array is the first one of the file
    axes = [
        data.ndim - 1 - grid.file_axes.index(axis) for axis in range(grid.ndim)
    ]
    return np.ascontiguousarray(data.transpose(*range(lead), *axes))


def check_suffix(target: Path) -> None:
    """Refuse a name that does not say NIfTI; `InputError` if so."""
    if not target.name.lower().endswith(_SUFFIXES):
        raise InputError(
            f'{target.name} is no name for a NIfTI file.',
            'End it in .nii or .nii.gz.',
        )


def make_image(
    stored: NDArray[Any],
    grid: Grid,
    axes: tuple[int, ...],
    description: str,
) -> Any:
    """Make a nibabel image of an array in file order (i, j[, k, ...]).

    Parameters
    ----------
    stored : numpy.ndarray
        Values in the order of the file.
    grid : Grid
        Grid of the array before it was put in that order.
    axes : tuple of int
        The array axes that are stored as i, j[, k].
    description : str
        Free text.

    Raises
    ------
    InputError
        If an axis is too long for NIfTI-1.
    """
    if max(stored.shape) > _LONGEST_AXIS:
        raise InputError(
            f'An axis of {max(stored.shape)} voxels is too long for NIfTI.',
            f'At most {_LONGEST_AXIS} are possible.',
        )
    affine = file_affine(grid, axes)
    image = _NiftiImage(stored, affine)
    image.set_sform(affine, code='scanner')
    if not grid.is_sheared:
        # a qform is a rotation and cannot hold shear
        image.set_qform(affine, code='scanner')
    if grid.units == 'mm':
        image.header.set_xyzt_units('mm', 'sec')
    else:
        description = f'{VOXEL_UNITS} {description}'
    image.header['descrip'] = description.encode('latin-1', 'replace')[:79]
    return image


def write_image(target: Path, image: Any) -> None:
    """Write a nibabel image atomically; equal images give equal bytes."""
    with atomic_path(target) as temporary, temporary.open('wb') as raw:
        if target.name.lower().endswith('.gz'):
            with gzip.GzipFile('', 'wb', 5, raw, mtime=0) as packed:
                image.to_stream(packed)
        else:
            image.to_stream(raw)
