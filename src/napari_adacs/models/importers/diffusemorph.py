"""DiffuseMorph: the generator of the authors, or of AdaCS."""

from __future__ import annotations

from typing import Any

from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.found import (
    Found,
    cannot,
    same_names,
    spatial_axes,
)

_FIRST = 'denoise_fn.downs.0.weight'
# Of nominal size; which levels attend is all that it decides.
_IMAGE_SIZE = 128
_ENCODER = ('inconv', 'downconv1', 'downconv2', 'downconv3', 'downconv4')
_DECODER = ('upconv1', 'upconv2', 'upconv3', 'keepblock', 'upconv4')


def find_diffusemorph(contents: Contents) -> Found | None:
    """Recognise DiffuseMorph by its two networks."""
    if not contents.has('denoise_fn.', 'field_fn.'):
        return None
    ndim = spatial_axes(contents, _FIRST)
    if contents.shape(_FIRST)[1] != 3 or not contents.shape('betas'):
        raise cannot(
            contents,
            'its score network does not take moving, fixed and noisy image, '
            'or its noise schedule is missing',
        )
    features = contents.shape(_FIRST)[0]
    levels = _levels(contents)
    if any(width % features for width, _ in levels):
        raise cannot(contents, 'its score network has unusual features')
    # AdaCS warps with a layer that has a grid, and trains on [0, 1].
    from_adacs = any(name.endswith('.grid') for name in contents.entries)
    options = _options(contents, features, levels, from_adacs)
    return Found(
        contents,
        'DiffuseMorph of AdaCS' if from_adacs else 'DiffuseMorph',
        'displacement',
        ndim,
        'diffusemorph',
        options,
        same_names(contents),
        _grid_shape(contents, ndim),
        (
            'Images are given to it in '
            + ('[0, 1], as AdaCS does.' if from_adacs else '[-1, 1].'),
        ),
    )


def _options(
    contents: Contents,
    features: int,
    levels: list[tuple[int, bool]],
    from_adacs: bool,
) -> dict[str, Any]:
    return {
        'features': features,
        'multipliers': [width // features for width, _ in levels],
        'attention_sizes': [
            _IMAGE_SIZE // 2**i for i, (_, att) in enumerate(levels) if att
        ],
        'image_size': _IMAGE_SIZE,
        'encoder': [_field(contents, name) for name in _ENCODER],
        'decoder': [_field(contents, name) for name in _DECODER],
        'steps': contents.shape('betas')[0],
        'input_range': (0.0, 1.0) if from_adacs else (-1.0, 1.0),
    }


def _levels(contents: Contents) -> list[tuple[int, bool]]:
    """Return width and attention of each level of the score network."""
    levels: list[tuple[int, bool]] = []
    fresh, layer = True, 1
    while contents.has(f'denoise_fn.downs.{layer}.'):
        name = f'denoise_fn.downs.{layer}'
        width = contents.shape(f'{name}.res_block.block1.block.3.weight')
        if width and not fresh:
            raise cannot(
                contents, 'its score network has several blocks per level'
            )
        if width:
            attends = contents.has(f'{name}.attn.')
            levels.append((width[0], attends))
        fresh, layer = not width, layer + 1
    return levels


def _field(contents: Contents, name: str) -> int:
    """Return the features that a layer of the field network gives."""
    inner = '.block' if name == 'keepblock' else '.block.block'
    shape = contents.shape(f'field_fn.{name}{inner}.0.weight')
    if not shape:
        raise cannot(contents, f"its field network has no '{name}'")
    return shape[0]


def _grid_shape(contents: Contents, ndim: int) -> tuple[int, ...]:
    for name, entry in contents.entries.items():
        if name.endswith('.grid') and len(entry.shape) == ndim + 2:
            return entry.shape[2:]
    return ()
