"""What a registration will do, said before it starts (no torch)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_adacs.errors import ModelError
from napari_adacs.models.header import ModelHeader
from napari_adacs.spatial.grid import Grid

# Bytes per network voxel of a forward pass (float32 activations of the
# widest concatenation and its neighbours, measured on 2D and 3D
# VoxelMorph), and of the results per native voxel.
_NETWORK_BYTES = {2: 700, 3: 900}
_NATIVE_BYTES = 80


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


def plan_registration(
    moving: Grid, fixed: Grid, header: ModelHeader, multiple: int = 16
) -> Plan:
    """Say what registering two grids with a model will do.

    Raises
    ------
    ModelError
        If the model is made for another number of axes.
    """
    if header.ndim != fixed.ndim:
        raise ModelError(
            f"Model '{header.name}' registers {header.ndim}D images; these "
            f'are {fixed.ndim}D.',
            f'Choose a {fixed.ndim}D model, or auto.',
        )
    shape = header.preprocessing.resampled(fixed.shape) or fixed.shape
    shape = tuple(n + (-n % multiple) for n in shape)
    sentences = [_fixed_sentence(fixed)]
    if not moving.same_space(fixed):
        sentences.append(
            f'Moving {_size(moving.shape)} is resampled to the fixed grid.'
        )
    resampled = shape != fixed.shape
    if resampled:
        sentences.append(
            f'The network runs on {_size(shape)}; the field returns to '
            f'{_size(fixed.shape)}.'
        )
    memory = memory_gb(shape, fixed.shape)
    sentences.append(f'About {_memory(memory)} of memory.')
    return Plan(shape, resampled, memory, tuple(sentences))


def memory_gb(network: Sequence[int], native: Sequence[int]) -> float:
    """Estimate the peak memory of a registration in GB."""
    in_network, in_native = 1, 1
    for n in network:
        in_network *= n
    for n in native:
        in_native *= n
    total = (
        _NETWORK_BYTES[len(network)] * in_network + _NATIVE_BYTES * in_native
    )
    return total / 1e9


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
