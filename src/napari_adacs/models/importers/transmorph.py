"""TransMorph: bare, in a .pth.tar, or with the config of AdaCS."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.found import (
    Found,
    cannot,
    same_names,
    spatial_axes,
)

_PATCH = 'transformer.patch_embed.proj.weight'
_INDEX = 'relative_position_index'
_HEAD_CHANNELS = 16
_USUAL_WINDOWS = {2: (8, 8), 3: (5, 6, 7)}


def find_transmorph(contents: Contents) -> Found | None:
    """Recognise TransMorph by its patch embedding and its head."""
    if not contents.has('transformer.patch_embed.', 'reg_head.'):
        return None
    ndim = spatial_axes(contents, _PATCH)
    config = _inner_config(contents)
    _refuse_others(contents, ndim, config)
    dim = contents.shape(_PATCH)[0]
    window, notes = _window(contents, ndim, config)
    options: dict[str, Any] = {
        'dim': dim,
        'depths': _depths(contents),
        'heads': [
            contents.shape(f'{_block(stage)}relative_position_bias_table')[1]
            for stage in range(4)
        ],
        'window': window,
        'trans_skip': contents.shape('up0.conv1.0.weight')[1] > 8 * dim,
        'conv_skip': contents.shape('up3.conv1.0.weight')[1] > dim,
    }
    sized = config.get('img_size')
    shape = tuple(sized) if isinstance(sized, list) else ()
    return Found(
        contents,
        'TransMorph',
        'displacement',
        ndim,
        'transmorph',
        options,
        # Ours are made from the window.
        same_names(contents, [_INDEX]),
        shape if len(shape) == ndim else _grid_shape(contents, ndim),
        tuple(notes),
    )


def _inner_config(contents: Contents) -> Mapping[str, Any]:
    """Return the network's config, which AdaCS keeps inside another."""
    inner = contents.config.get('config')
    return inner if isinstance(inner, dict) else contents.config


def _refuse_others(
    contents: Contents, ndim: int, config: Mapping[str, Any]
) -> None:
    """Refuse relatives of TransMorph that compute something else."""
    reason = ''
    if not contents.has('up4.'):
        reason = (
            'it is the TransMorph of the OASIS challenge, whose head works '
            'at half resolution'
        )
    elif contents.has('transformer.absolute_pos_embed'):
        reason = 'it is TransMorph-Lrn, which learns absolute positions'
    elif ndim == 3 and config.get('spe') is True:
        reason = 'it is TransMorph-Sin, which adds sinusoidal positions'
    elif ndim == 3 and config.get('rpe') is False:
        reason = 'it was trained without relative positions'
    elif contents.has(f'{_block(0)}qkv.bias'):
        reason = 'its attention has biases, which TransMorph has not'
    elif contents.shape(_PATCH)[1:] != (2, *[4] * ndim):
        reason = 'its patches are not of two images and 4 voxels'
    elif contents.shape('reg_head.0.weight')[:2] != (ndim, _HEAD_CHANNELS):
        reason = 'its registration head is not that of TransMorph'
    elif _depths(contents) == [] or len(_depths(contents)) != 4:
        reason = 'its transformer has not four stages'
    if reason:
        raise cannot(contents, reason)


def _block(stage: int, block: int = 0) -> str:
    return f'transformer.layers.{stage}.blocks.{block}.attn.'


def _depths(contents: Contents) -> list[int]:
    depths = []
    for stage in range(8):
        blocks = 0
        while contents.shape(f'{_block(stage, blocks)}qkv.weight'):
            blocks += 1
        if not blocks:
            break
        depths.append(blocks)
    return depths


def _window(
    contents: Contents, ndim: int, config: Mapping[str, Any]
) -> tuple[tuple[int, ...], list[str]]:
    """Return the tokens per axis of a window, and what was assumed.

    The table of biases has a row per offset, the index one per token; only
    the index, or the config, tells axes apart.
    """
    rows = contents.shape(f'{_block(0)}relative_position_bias_table')
    stored = config.get('window_size')
    if isinstance(stored, list) and _rows(stored[:ndim]) == rows[0]:
        # One published config has a fourth number that nothing reads.
        return tuple(stored[:ndim]), []
    index = contents.entries.get(f'{_block(0)}{_INDEX}')
    if index is not None and len(index.shape) == 2:
        first = index.load()[0]
        for window in _windows(ndim, index.shape[0]):
            if np.array_equal(first, first_row(window)):
                return window, []
    usual = _USUAL_WINDOWS[ndim]
    if _rows(usual) == rows[0]:
        size = ' x '.join(map(str, usual))
        return usual, [f'How windows are cut is taken as usual, {size}.']
    raise cannot(contents, 'it does not say how its attention windows are cut')


def _rows(window: object) -> int:
    if not isinstance(window, list | tuple):
        return 0
    return math.prod(2 * n - 1 for n in window if isinstance(n, int))


def _windows(ndim: int, tokens: int) -> Iterator[tuple[int, ...]]:
    """Yield the windows of a number of tokens."""
    divisors = [n for n in range(1, min(tokens, 64) + 1) if tokens % n == 0]
    for window in itertools.product(divisors, repeat=ndim):
        if math.prod(window) == tokens:
            yield window


def first_row(window: tuple[int, ...]) -> Any:
    """Return the row of a window's first token in its index of offsets."""
    tokens = np.indices(window).reshape(len(window), -1)
    row = np.zeros(tokens.shape[1], dtype=np.int64)
    for place, n in zip(tokens, window, strict=True):
        row = row * (2 * n - 1) + (n - 1 - place)
    return row


def _grid_shape(contents: Contents, ndim: int) -> tuple[int, ...]:
    """Return the size of the images that a stored sampling grid is for."""
    shape = contents.shape('spatial_trans.grid')
    return shape[2:] if len(shape) == ndim + 2 else ()
