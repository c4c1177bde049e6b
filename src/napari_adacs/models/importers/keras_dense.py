"""VoxelMorph 0.1 and 0.2 in TensorFlow: the HDF5 file of a `VxmDense`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.found import (
    PROBABILISTIC,
    USUAL_INTEGRATION,
    Found,
    Source,
    cannot,
    channels_first,
    trained_shape,
)
from napari_adacs.models.importers.voxelmorph import (
    checked_integration,
    unet_options,
)

_LAYER = re.compile(
    r'(?P<prefix>.*?)(?:unet_(?P<arm>enc_conv|dec_conv|dec_final_conv)_'
    r'(?P<first>\d+)(?:_(?P<second>\d+))?|(?P<head>flow|log_sigma))$'
)


def find_keras_dense(contents: Contents) -> Found | None:
    """Recognise the TensorFlow VoxelMorph by the names of its layers."""
    names = {layer: _LAYER.match(layer) for layer in contents.order}
    if not any(m and m['arm'] == 'enc_conv' for m in names.values()):
        return None
    strange = [layer for layer, match in names.items() if match is None]
    if strange:
        raise cannot(
            contents,
            'besides a VoxelMorph it holds layers called '
            f'{", ".join(strange[:3])}, so it computes something else',
        )
    levels = 1 + max(
        int(m['first']) for m in names.values() if m and m['arm'] == 'enc_conv'
    )
    ours = {
        layer: _ours(match, levels)
        for layer, match in names.items()
        if match is not None and match['head'] != 'log_sigma'
    }
    config = contents.config.get('config', {})
    config = config if isinstance(config, dict) else {}
    options, notes = _integration(contents, config)
    if len(ours) < len(names):
        notes.append(PROBABILISTIC)
    ndim = len(contents.shape(f'{contents.order[0]}/kernel')) - 2
    return Found(
        contents,
        'VoxelMorph 0.2 (TensorFlow)',
        'displacement',
        ndim,
        'voxelmorph',
        {**_features(contents, ours), **options},
        _sources(ours),
        trained_shape(_inner(contents, config), ndim),
        tuple(notes),
    )


def _inner(contents: Contents, config: Mapping[str, Any]) -> Contents:
    return Contents(contents.path, contents.container, {}, config)


def _ours(match: re.Match[str], levels: int) -> str:
    """Return our name of a layer.

    Levels of the decoder are numbered from the top there, from the bottom
    here.
    """
    if match['head']:
        return 'flow'
    level, place = int(match['first']), int(match['second'] or 0)
    if match['arm'] == 'enc_conv':
        return f'unet_model.encoder.{level}.{place}.main'
    if match['arm'] == 'dec_conv':
        return f'unet_model.decoder.{levels - 1 - level}.{place}.main'
    return f'unet_model.remaining.{level}.main'


def _sources(ours: Mapping[str, str]) -> dict[str, Source]:
    sources = {}
    for layer, name in ours.items():
        sources[f'{name}.weight'] = Source(f'{layer}/kernel', channels_first)
        sources[f'{name}.bias'] = Source(f'{layer}/bias')
    return sources


def _features(contents: Contents, ours: Mapping[str, str]) -> dict[str, Any]:
    theirs = {name: layer for layer, name in ours.items()}
    shapes = {
        name: contents.shape(f'{layer}/kernel')
        for name, layer in theirs.items()
    }
    first = shapes.get('unet_model.encoder.0.0.main', ())
    if len(first) < 2 or first[-2] != 2:
        raise cannot(contents, 'its first layer does not take two images')
    levels = {
        arm: _levels(shapes, f'unet_model.{arm}.')
        for arm in ('encoder', 'decoder')
    }
    tail: list[int] = []
    while shape := shapes.get(f'unet_model.remaining.{len(tail)}.main'):
        tail.append(shape[-1])
    after = shapes['unet_model.remaining.0.main' if tail else 'flow']
    return unet_options(
        contents, levels['encoder'], levels['decoder'], tail, after[-2]
    )


def _levels(
    shapes: Mapping[str, tuple[int, ...]], arm: str
) -> list[list[int]]:
    found: list[list[int]] = []
    while f'{arm}{len(found)}.0.main' in shapes:
        level: list[int] = []
        while shape := shapes.get(f'{arm}{len(found)}.{len(level)}.main'):
            level.append(shape[-1])
        found.append(level)
    return found


def _integration(
    contents: Contents, config: Mapping[str, Any]
) -> tuple[dict[str, int], list[str]]:
    """Return the integration; 0.1 and 0.2 call its options differently."""
    if config.get('svf_resolution', 1) not in (
        1,
        config.get('int_resolution', 2),
    ):
        raise cannot(
            contents,
            'its velocity is emitted and integrated at different resolutions',
        )
    shrink = config.get('int_downsize') or config.get('int_resolution')
    steps = config.get('int_steps')
    if isinstance(steps, int) and isinstance(shrink, int):
        return checked_integration(contents, steps, shrink), []
    return {'int_steps': 7, 'int_downsize': 2}, [USUAL_INTEGRATION]
