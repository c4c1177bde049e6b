"""Sample data: pairs that the echo phantom made."""

from __future__ import annotations

from pathlib import Path

from napari_adacs.app.readers import LayerData, read_layers

FOLDER = Path(__file__).parents[1] / 'sample_data'


def echo3d() -> list[LayerData]:
    """Return a 3D echo at end-diastole and end-systole, with labels."""
    return _pair('echo3d')


def echo2d() -> list[LayerData]:
    """Return a 2D echo at end-diastole and end-systole, with labels."""
    return _pair('echo2d')


def _pair(name: str) -> list[LayerData]:
    files = [
        str(FOLDER / f'{name}_{frame}{kind}.nii.gz')
        for kind in ('', '_labels')
        for frame in ('ED', 'ES')
    ]
    layers = read_layers(files)
    for _, options, kind in layers:
        # First look at the images; the labels are one click away.
        options['visible'] = kind == 'image'
    return layers
