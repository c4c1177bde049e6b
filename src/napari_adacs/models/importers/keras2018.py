"""VoxelMorph of 2018 in Keras: VM-1, VM-2 and the MICCAI network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.found import (
    PROBABILISTIC,
    Found,
    Source,
    cannot,
    channels_first,
)

_STRIDED = 2
_EXCHANGED = (
    'Its first two components are exchanged, as its authors trained it; the '
    'file does not say so.'
)
# Squarings of the MICCAI network, which leaves out the first division.
_MICCAI_STEPS = 7
_GENERIC = re.compile(r'conv[23]d(_\d+)?$')


def find_keras2018(contents: Contents) -> Found | None:
    """Recognise the networks of 2018 by their chain of convolutions."""
    convs = [name for name in contents.order if _GENERIC.match(name)]
    heads = [n for n in contents.order if n in ('flow', 'log_sigma')]
    if 'flow' not in heads or len(convs) + len(heads) != len(contents.order):
        return None
    convs.sort(key=_number)
    ndim = len(contents.shape('flow/kernel')) - 2
    chain = _chain(contents, [*convs, 'flow'])
    probabilistic = 'log_sigma' in heads
    if probabilistic != chain.half_res:
        raise cannot(contents, 'it is a mixture of the networks of 2018')
    options: dict[str, Any] = {
        'encoder': chain.encoder,
        'decoder': chain.decoder,
        'tail': chain.tail,
        'padding': 'after',
        'int_steps': _MICCAI_STEPS if chain.half_res else 0,
        'half_res': chain.half_res,
    }
    return Found(
        contents,
        'VoxelMorph of MICCAI 2018' if chain.half_res else _name(chain),
        'displacement',
        ndim,
        'voxelmorph2018',
        options,
        _sources(convs, chain, probabilistic),
        _trained_shape(contents, ndim),
        _notes(probabilistic),
    )


@dataclass(frozen=True)
class _Chain:
    """The structure of the network, read off its channels."""

    encoder: list[int]
    decoder: list[list[int]]
    tail: list[int]
    half_res: bool

    @property
    def names(self) -> list[str]:
        """Our names of its convolutions, in their order."""
        names = [f'encoder.{i}.main' for i in range(len(self.encoder))]
        for level, convs in enumerate(self.decoder):
            names += [f'decoder.{level}.{i}.main' for i in range(len(convs))]
        return [*names, *(f'tail.{i}.main' for i in range(len(self.tail)))]


def _chain(contents: Contents, names: Sequence[str]) -> _Chain:
    """Find the skips: where a layer takes more than the last one gave."""
    shapes = [contents.shape(f'{name}/kernel') for name in names]
    outs = [shape[-1] for shape in shapes]
    skips = {
        i: shapes[i][-2] - outs[i - 1]
        for i in range(1, len(shapes))
        if shapes[i][-2] != outs[i - 1]
    }
    full = bool(skips) and skips[max(skips)] == shapes[0][-2]
    levels = len(skips) if full else len(skips) + 1
    encoder = outs[:levels]
    wanted = [*reversed(encoder[:-1]), *([2] if full else [])]
    if shapes[0][-2] != 2 or list(skips.values()) != wanted:
        raise cannot(
            contents,
            'its convolutions are not connected as in VoxelMorph of 2018',
        )
    starts = [levels, *skips, len(outs) - 1]
    groups = [outs[a:b] for a, b in zip(starts[:-1], starts[1:], strict=True)]
    _check_strides(contents, names, levels)
    tail = groups.pop() if full else []
    return _Chain(encoder, groups, tail, not full)


def _check_strides(
    contents: Contents, names: Sequence[str], levels: int
) -> None:
    """Compare with the description of the layers, where there is one."""
    config = contents.config.get('config')
    layers = config.get('layers') if isinstance(config, dict) else None
    for layer in layers if isinstance(layers, list) else []:
        about = layer.get('config') if isinstance(layer, dict) else None
        if not isinstance(about, dict) or about.get('name') not in names:
            continue
        strided = names.index(about['name']) < levels
        wanted = _STRIDED if strided else 1
        if any(step != wanted for step in about.get('strides', ())):
            raise cannot(
                contents,
                f"the stride of '{about['name']}' is not that of VoxelMorph "
                'of 2018',
            )


def _sources(
    convs: Sequence[str], chain: _Chain, probabilistic: bool
) -> dict[str, Source]:
    sources = {}
    for layer, name in zip(convs, chain.names, strict=True):
        sources[f'{name}.weight'] = Source(f'{layer}/kernel', channels_first)
        sources[f'{name}.bias'] = Source(f'{layer}/bias')
    kernel, bias = channels_first, None
    if probabilistic:
        sources['flow.weight'] = Source('flow/kernel', _miccai_kernel)
        sources['flow.bias'] = Source('flow/bias', _miccai_rows)
        return sources
    sources['flow.weight'] = Source('flow/kernel', kernel)
    sources['flow.bias'] = Source('flow/bias', bias)
    return sources


def _miccai_kernel(kernel: NDArray[Any]) -> NDArray[Any]:
    return _miccai_rows(channels_first(kernel))


def _miccai_rows(values: NDArray[Any]) -> NDArray[Any]:
    """Order the components by array axis, and undo our first division.

    The published network was trained with its first two components
    exchanged, and squares its output without dividing it first.
    """
    order = [1, 0, *range(2, len(values))]
    scaled: NDArray[Any] = np.float32(2**_MICCAI_STEPS) * values[order]
    return scaled


def _number(name: str) -> int:
    return int(name.rpartition('_')[2]) if '_' in name else 0


def _name(chain: _Chain) -> str:
    number = {1: '1', 2: '2'}.get(len(chain.tail), '')
    return f'VoxelMorph of CVPR 2018 (VM-{number})'.replace(' (VM-)', '')


def _notes(probabilistic: bool) -> tuple[str, ...]:
    if not probabilistic:
        return ()
    return (PROBABILISTIC, _EXCHANGED)


def _trained_shape(contents: Contents, ndim: int) -> tuple[int, ...]:
    config = contents.config.get('config')
    layers = config.get('layers') if isinstance(config, dict) else None
    for layer in layers if isinstance(layers, list) else []:
        about = layer.get('config') if isinstance(layer, dict) else None
        shape = isinstance(about, dict) and about.get('batch_input_shape')
        if isinstance(shape, list) and len(shape) == ndim + 2:
            inner = shape[1:-1]
            return tuple(inner) if all(map(_whole, inner)) else ()
    return ()


def _whole(value: object) -> bool:
    return isinstance(value, int) and 1 < value < 100_000
