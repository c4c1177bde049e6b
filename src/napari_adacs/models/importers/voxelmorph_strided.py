"""VoxelMorph in PyTorch before 2021: downarm, uparm and extras."""

from __future__ import annotations

from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.found import (
    Found,
    cannot,
    renamed,
    spatial_axes,
    trained_shape,
)
from napari_adacs.models.importers.voxelmorph import integration, outputs

_OURS = {
    'unet_model.downarm.': 'encoder.',
    'unet_model.uparm.': 'decoder.',
    'unet_model.extras.': 'tail.',
}


def find_voxelmorph_strided(contents: Contents) -> Found | None:
    """Recognise the strided U-Net by the names of its arms."""
    if not contents.has('unet_model.downarm.', 'unet_model.uparm.', 'flow.'):
        return None
    ndim = spatial_axes(contents, 'unet_model.downarm.0.main.weight')
    arms = {
        arm: outputs(contents, f'unet_model.{arm}.{{}}.main.weight')
        for arm in _ARMS
    }
    if len(arms['uparm']) != len(arms['downarm']):
        raise cannot(contents, 'its decoder has not as many levels as down')
    options, notes = integration(contents)
    sources = renamed(contents, _OURS)
    # One convolution per level here, a list of them in ours.
    for level in range(len(arms['uparm'])):
        for part in ('weight', 'bias'):
            found = sources.pop(f'decoder.{level}.main.{part}', None)
            if found is not None:
                sources[f'decoder.{level}.0.main.{part}'] = found
    return Found(
        contents,
        'VoxelMorph of 2020',
        'displacement',
        ndim,
        'voxelmorph2018',
        {
            'encoder': arms['downarm'],
            'decoder': [[features] for features in arms['uparm']],
            'tail': arms['extras'],
            'padding': 'both',
            **options,
        },
        sources,
        trained_shape(contents, ndim),
        tuple(notes),
    )


_ARMS = ('downarm', 'uparm', 'extras')
