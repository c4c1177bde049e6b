"""Files become layers, in millimetres and at the right place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_adacs.app.layer_specs import arrows_spec
from napari_adacs.app.layers import FILE_KEY, layer_kwargs
from napari_adacs.io.byte_source import open_source
from napari_adacs.io.images import read_image
from napari_adacs.io.itk_field import read_displacement, voxels_to_world
from napari_adacs.io.nifti_header import (
    INTENT_DISPLACEMENT,
    INTENT_VECTOR,
    read_header,
)
from napari_adacs.io.volume import Volume

LayerData = tuple[Any, dict[str, Any], str]
Paths = str | Sequence[str]

_SUFFIXES = ('.nii', '.nii.gz')


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return the reader of NIfTI files, or None for other files.

    Parameters
    ----------
    path : str or sequence of str
        One file or several.
    """
    names = [Path(p).name.lower() for p in _listed(path)]
    if names and all(name.endswith(_SUFFIXES) for name in names):
        return read_layers
    return None


def read_layers(path: Paths) -> list[LayerData]:
    """Read files as layers.

    An image becomes an Image layer, a segmentation a Labels layer; a cine
    has time first. A displacement field becomes the |displacement| and its
    arrows.

    Parameters
    ----------
    path : str or sequence of str
        One file or several; each brings its own layers.

    Returns
    -------
    list of (data, keyword arguments, type) tuple
        Layers placed in napari's world: (z, y, x) in LPS millimetres.

    Raises
    ------
    InputError
        If a file cannot be used; in one sentence, which napari shows.
    """
    layers: list[LayerData] = []
    for file in map(Path, _listed(path)):
        if _is_displacement(file):
            layers += _displacement_layers(file)
        else:
            layers.append(layer_of(read_image(file)))
    return layers


def layer_of(volume: Volume) -> LayerData:
    """Return an image or segmentation as a layer."""
    options = layer_kwargs(volume.grid)
    if volume.has_time:
        options = _with_time(options, volume.frame_duration_s)
    options['name'] = volume.name
    options['metadata'] = {
        FILE_KEY: {
            'path': str(volume.path),
            'description': volume.description,
            'frame_duration_s': volume.frame_duration_s,
            'axes': volume.grid.file_axes,
        }
    }
    return volume.data, options, 'labels' if volume.is_labels else 'image'


def _listed(path: Paths) -> list[str]:
    return [str(path)] if isinstance(path, str | Path) else list(path)


def _with_time(
    options: dict[str, Any], duration_s: float | None
) -> dict[str, Any]:
    """Put a time axis first.

    Its unit is the second even where the file does not say how long a frame
    takes: with pixels for time beside another sequence's seconds, napari
    would drop the millimetres of all layers.
    """
    timed = dict(options)
    timed['scale'] = np.array([duration_s or 1.0, *options['scale']])
    timed['units'] = ('s', *options['units'])
    timed['axis_labels'] = ('t', *options['axis_labels'])
    if 'translate' in options:
        timed['translate'] = np.array([0.0, *options['translate']])
    if 'affine' in options:
        size = len(options['affine']) + 1
        timed['affine'] = np.eye(size)
        timed['affine'][1:, 1:] = options['affine']
    return timed


def _is_displacement(file: Path) -> bool:
    with open_source(file) as source:
        header = read_header(source)
    return len(header.dims) == 5 and header.intent in (
        INTENT_VECTOR,
        INTENT_DISPLACEMENT,
    )


def _displacement_layers(file: Path) -> list[LayerData]:
    voxels, grid = read_displacement(file)
    magnitude = np.linalg.norm(voxels_to_world(voxels, grid), axis=0)
    longest = max(float(magnitude.max()), 1e-6)
    placed = layer_kwargs(grid)
    name = file.name.removesuffix('.gz').removesuffix('.nii')
    arrows = arrows_spec(voxels, magnitude)
    features = dict(arrows.features or {})
    return [
        (
            magnitude,
            {
                'name': f'|{name}|',
                'colormap': 'inferno',
                'contrast_limits': (0.0, longest),
                **placed,
            },
            'image',
        ),
        (
            arrows.data,
            {
                'name': name,
                'metadata': {FILE_KEY: {'path': str(file)}},
                'features': features,
                'edge_color': next(iter(features)),
                'edge_contrast_limits': (0.0, longest),
                **arrows.options,
                **placed,
            },
            'vectors',
        ),
    ]
