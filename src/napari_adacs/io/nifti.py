"""Reading and writing NIfTI images.

Arrays are held with the axes (z, y, x), as in napari. Most files have their
bytes in this order and name the axes (k, j, i); the axes of others, such as
sagittal ones, are exchanged. The world is LPS in millimetres, where NIfTI has
RAS.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.byte_source import open_source
from napari_adacs.io.label_guess import as_labels
from napari_adacs.io.nifti_data import (
    check_suffix,
    from_file_order,
    in_file_order,
    make_image,
    read_array,
    write_image,
)
from napari_adacs.io.nifti_grid import (
    AxisOrder,
    grid_of,
    stored_axes,
    upright,
)
from napari_adacs.io.nifti_header import (
    INTENT_DISPLACEMENT,
    INTENT_LABEL,
    INTENT_VECTOR,
    NiftiHeader,
    read_header,
)
from napari_adacs.io.storable import storable
from napari_adacs.io.volume import Volume
from napari_adacs.spatial.grid import Grid


def read_volume(
    path: str | os.PathLike[str], *, max_bytes: int | None = None
) -> Volume:
    """Read a 2D or 3D image or cine from a NIfTI file.

    The header is checked before any data are read. Stored numbers keep
    their type unless the header scales them; scaled ones become float32.
    Segmentations stored as floats become integers.

    Parameters
    ----------
    path : path-like
        A .nii or .nii.gz file, version 1 or 2.
    max_bytes : int, optional
        Most memory the image may take; a quarter of what is free if omitted.

    Returns
    -------
    Volume
        Data ([T, Z,] Y, X), each axis the one that lies nearest to that of
        the world, and the grid of one frame in the LPS world, mm.

    Raises
    ------
    InputError
        If the file cannot be opened, is no NIfTI file, is truncated, too
        large or damaged, has no usable voxel size or orientation, or holds
        colours, complex numbers or vectors.
    """
    file = Path(path).expanduser()
    with open_source(file) as source:
        header = read_header(source)
        _check_scalar(header)
        stored, notes = grid_of(header)
        data = read_array(source, header, max_bytes)
    frames = data.shape[: -len(header.dims[:3])]
    grid = upright(stored)
    data = from_file_order(data.reshape((*frames, *stored.shape)), grid)
    labels = as_labels(data, file.name, header.intent == INTENT_LABEL)
    return Volume(
        data=data if labels is None else labels,
        grid=grid,
        path=file,
        frame_duration_s=header.frame_duration_s,
        is_labels=labels is not None,
        description='; '.join(filter(None, [header.description, *notes])),
    )


def save_volume(
    path: str | os.PathLike[str],
    data: NDArray[Any],
    grid: Grid,
    *,
    labels: bool = False,
    description: str = '',
    frame_duration_s: float | None = None,
    axis_order: AxisOrder = 'auto',
) -> None:
    """Write an image or segmentation as NIfTI-1, atomically.

    Parameters
    ----------
    path : path-like
        Name of the file, ending in .nii or .nii.gz.
    data : (*grid.shape) or (T, *grid.shape) numpy.ndarray
        Values; float32, uint8, uint16, int16 and int32 keep their type.
    grid : Grid
        Grid of one frame, axes in the order of `data`.
    labels : bool, default: False
        Whether the values are labels.
    description : str, default: ''
        At most 79 characters are kept.
    frame_duration_s : float, optional
        Seconds from frame to frame.
    axis_order : {'auto', 'zyx', 'xyz'}, default: 'auto'
        'zyx' stores the last array axis as i, 'xyz' the first; 'auto' takes
        'xyz' where the array axes run along x, y, z of the world. But for
        'xyz', a grid that `read_volume` has put in order gets the voxels
        of its file again. World positions are the same in each case.

    Raises
    ------
    InputError
        If the folder cannot be written to, the name has another suffix, or
        the data fit neither the grid nor the format.
    """
    target = Path(path)
    check_suffix(target)
    frames = data.ndim - grid.ndim
    if frames not in (0, 1) or data.shape[frames:] != grid.shape:
        raise InputError(
            f'Data of shape {data.shape} do not lie on a grid of shape '
            f'{grid.shape}.'
        )
    axes = stored_axes(grid, axis_order)
    values = storable(data, labels)
    stored = in_file_order(values, axes)
    image = make_image(stored, grid, axes, description)
    if labels:
        image.header.set_intent(INTENT_LABEL, allow_unknown=True)
    if frames and frame_duration_s:
        image.header['pixdim'][4] = frame_duration_s
    elif frames:
        # without a unit of time nobody reads the 1 there as a second
        image.header.set_xyzt_units('mm')
    _set_display_range(image.header, values)
    write_image(target, image)


def _check_scalar(header: NiftiHeader) -> None:
    vectors = header.intent in (INTENT_VECTOR, INTENT_DISPLACEMENT)
    if vectors or len(header.dims) == 5:
        raise InputError(
            f'{header.name} is a vector image, not a picture'
            f' ({header.n_components} components per voxel).',
            'Read a displacement field with read_displacement, or apply it '
            'with "napari-adacs warp".',
        )
    if len(header.dims) > 5:
        raise InputError(
            f'{header.name} has {len(header.dims)} axes; at most four are '
            'read.',
            'Save one 2D, 3D or 4D image from it.',
        )


def _set_display_range(header: Any, values: NDArray[Any]) -> None:
    """Tell viewers the range of the finite values."""
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = values[np.isfinite(values)]
        if finite.size == 0:
            return
        low, high = float(finite.min()), float(finite.max())
    header['cal_min'], header['cal_max'] = low, high
