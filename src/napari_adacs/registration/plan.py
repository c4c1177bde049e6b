"""What a registration will do, said before it starts (no torch)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from napari_adacs.errors import ModelError
from napari_adacs.models.header import FROM_ZERO, ModelHeader
from napari_adacs.registration.config import STEPS_FROM_ZERO, RunConfig
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.stack import slice_axis, slices_first

# Bytes per network voxel of a forward pass (float32 activations of the
# widest concatenation and its neighbours, measured on 2D and 3D
# VoxelMorph), and of the results per native voxel.
_NETWORK_BYTES = {2: 700, 3: 900}
_NATIVE_BYTES = 80
# What a fit of a free field needs besides.
_REFINING_BYTES = 160
# Of VoxelMorph; all models of bundles that do not say are of this kind.
_USUAL_MULTIPLE = 16


@dataclass(frozen=True)
class Plan:
    """A registration before it runs.

    Parameters
    ----------
    network_shape : tuple of int
        Grid on which the network runs.
    resampled : bool
        Whether that differs from the native fixed grid.
    memory_gb : float
        Estimated peak memory.
    sentences : tuple of str
        The same in words.
    """

    network_shape: tuple[int, ...]
    resampled: bool
    memory_gb: float
    sentences: tuple[str, ...]


def completed(config: RunConfig, header: ModelHeader) -> RunConfig:
    """Return the settings with what the model leaves open filled in.

    Without a network, all the registering is refining: a field from zero.
    """
    if header.network == FROM_ZERO:
        steps = config.refine_steps or STEPS_FROM_ZERO
        return replace(config, refine='field', refine_steps=steps)
    from_start = config.refine_steps > 0 and config.refine == 'field'
    if from_start and config.refine_prior is None:
        return replace(config, refine_prior=header.refine_prior)
    return config


def plan_registration(
    moving: Grid,
    fixed: Grid,
    header: ModelHeader,
    multiple: int | None = None,
    config: RunConfig | None = None,
) -> Plan:
    """Say what registering two grids with a model will do.

    Parameters
    ----------
    moving, fixed : Grid
        Grids of the images.
    header : ModelHeader
        The model.
    multiple : int, optional
        What every axis that the networks see is a multiple of; as the
        header says if omitted.
    config : RunConfig, optional
        Settings; only those of refining matter.

    Raises
    ------
    ModelError
        If the model is made for another number of axes.
    """
    across = slices_of(header, fixed)
    from_zero = header.network == FROM_ZERO
    multiple = multiple or header.size_multiple or _USUAL_MULTIPLE
    if from_zero:
        multiple = 1
    native = slices_first(fixed).shape if across else fixed.shape
    within = native[across:]
    shape = header.preprocessing.resampled(within) or within
    shape = native[:across] + tuple(n + (-n % multiple) for n in shape)
    sentences = [_fixed_sentence(fixed)]
    if across:
        sentences.append(
            f'Its {native[0]} slices are registered one by one; nothing moves '
            'across them.'
        )
    if not moving.same_space(fixed):
        sentences.append(
            f'Moving {_size(moving.shape)} is resampled to the fixed grid.'
        )
    resampled = shape != native
    if resampled:
        sentences.append(
            f'The network runs on {_size(shape)}; the field returns to '
            f'{_size(fixed.shape)}.'
        )
    refining = _refining_sentence(config, header)
    if refining:
        sentences.append(refining)
    memory = memory_gb(
        (0,) * fixed.ndim if from_zero else shape, fixed.shape, bool(refining)
    )
    sentences.append(f'About {_memory(memory)} of memory.')
    return Plan(shape, resampled, memory, tuple(sentences))


def slices_of(header: ModelHeader, fixed: Grid) -> int:
    """Return 1 where a 2D model takes slices one by one, else 0.

    Raises
    ------
    ModelError
        If the model is for another number of axes, and the image no stack.
    """
    if header.ndim == fixed.ndim:
        return 0
    if header.ndim < fixed.ndim and slice_axis(fixed) is not None:
        return 1
    raise ModelError(
        f"Model '{header.name}' registers {header.ndim}D images; these "
        f'are {fixed.ndim}D.',
        f'Choose a {fixed.ndim}D model, or auto.',
    )


def memory_gb(
    network: Sequence[int], native: Sequence[int], refined: bool = False
) -> float:
    """Estimate the peak memory of a registration in GB."""
    per_native = _NATIVE_BYTES + (_REFINING_BYTES if refined else 0)
    total = _NETWORK_BYTES[len(network)] * math.prod(network)
    total += per_native * math.prod(native)
    return total / 1e9


def _refining_sentence(config: RunConfig | None, header: ModelHeader) -> str:
    if config is None:
        return ''
    chosen = completed(config, header)
    if not chosen.refine_steps:
        return ''
    compared = {'lncc': 'local correlation', 'mse': 'squared residual'}
    by = compared[chosen.refine_similarity]
    if chosen.refine == 'network':
        return (
            f'{chosen.refine_steps} steps train the network on, by {by}.'
            f'{_held(chosen, header)}'
        )
    start = 'zero' if header.network == FROM_ZERO else "the model's field"
    return (
        f'A free field is fitted from {start}, up to {chosen.refine_steps} '
        f'steps at each resolution, by {by}.{_held(chosen, header)}'
    )


def _held(config: RunConfig, header: ModelHeader) -> str:
    """Say what refining does to the model's estimate."""
    if header.network == FROM_ZERO:
        return ''
    if config.refine == 'field' and config.refine_prior:
        return (
            " It holds on to the model's estimate where images tell little "
            f'(prior {config.refine_prior:g}).'
        )
    if header.guided:
        return (
            ' The model has learnt from labels; what images alone say may '
            'take some of that back.'
        )
    return ''


def _memory(gigabytes: float) -> str:
    if gigabytes < 0.95:
        return f'{max(10, round(100 * gigabytes) * 10)} MB'
    return f'{gigabytes:.1f} GB'


def _fixed_sentence(grid: Grid) -> str:
    sizes = ' x '.join(f'{s:.3g}' for s in grid.spacing)
    unit = 'mm' if grid.units == 'mm' else 'voxels (no physical size known)'
    return f'Fixed {_size(grid.shape)}, {sizes} {unit}.'


def _size(shape: Sequence[int]) -> str:
    return ' x '.join(str(n) for n in shape)
