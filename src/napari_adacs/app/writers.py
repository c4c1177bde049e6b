"""Layers become files, with the place they have in napari's world."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer

from napari_adacs.app.layers import FILE_KEY, grid_of, is_sequence
from napari_adacs.app.result_layers import METADATA_KEY
from napari_adacs.app.session import recall
from napari_adacs.errors import InputError
from napari_adacs.io.itk_field import read_displacement, save_displacement
from napari_adacs.io.nifti import save_volume


def write_image(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write an Image layer as NIfTI.

    Parameters
    ----------
    path : str
        File name, ending in .nii or .nii.gz.
    data : array_like
        Data of the layer, 2D to 4D with time first.
    meta : dict
        Attributes of the layer.

    Returns
    -------
    list of str
        The file.

    Raises
    ------
    InputError
        If the layer is in colour or has no place NIfTI could hold, or the
        file cannot be written.
    """
    if meta.get('rgb'):
        raise InputError(
            'Colour images are not written as NIfTI.',
            'Split the channels, or save as TIFF or PNG.',
        )
    return _write(path, data, meta, 'image')


def write_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write a Labels layer as NIfTI; see `write_image`."""
    return _write(path, data, meta, 'labels')


def write_displacement(
    path: str, data: Any, meta: dict[str, Any]
) -> list[str]:
    """Write the displacement field behind a layer of arrows.

    The arrows are a sample of the field; what is written is all of it, as an
    ITK vector image in millimetres on the fixed grid.

    Parameters
    ----------
    path : str
        File name, ending in .nii or .nii.gz.
    data : (N, 2, ndim) array_like
        The arrows.
    meta : dict
        Attributes of the layer.

    Raises
    ------
    InputError
        If no field of this session or of a file belongs to the layer, or
        the file cannot be written.
    """
    metadata = meta.get('metadata') or {}
    about = metadata.get(METADATA_KEY) or {}
    run = recall(about.get('group', ''))
    file = (metadata.get(FILE_KEY) or {}).get('path')
    if run is not None:
        voxels, grid = run.result.field.voxels, run.result.field.grid
    elif file:
        voxels, grid = read_displacement(file)
    else:
        raise InputError(
            'These arrows are not a displacement field.',
            'Select the displacement of a registration of this session.',
        )
    save_displacement(path, voxels, grid, axis_order='zyx')
    return [path]


def _write(path: str, data: Any, meta: dict[str, Any], kind: str) -> list[str]:
    layer = Layer.create(data, meta, kind)
    values = np.asarray(data[0] if meta.get('multiscale') else data)
    frame = 0 if is_sequence(layer) else None
    duration = None if frame is None else _frame_duration(layer)
    save_volume(
        path,
        values,
        grid_of(layer, frame),
        labels=kind == 'labels',
        frame_duration_s=duration,
        axis_order='zyx',
    )
    return [path]


def _frame_duration(layer: Layer) -> float | None:
    """Return the seconds between frames, unless nobody knows them."""
    about = layer.metadata.get(FILE_KEY) or {}
    unit = layer.units[0]
    if not unit.is_compatible_with('second'):
        return None
    duration = float((layer.scale[0] * unit).to('second').magnitude)
    if duration == 1.0 and about.get('frame_duration_s', duration) is None:
        return None
    return duration
