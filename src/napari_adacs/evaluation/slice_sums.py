"""Sums over the slices of a registered volume, a few planes at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.spatial.jacobian import jacobian_determinant

FloatArray = NDArray[np.float64]

_EMPTY = 0.02  # of the intensity range; darker voxels are background
_PLANES = 8  # worked on at once, to save memory


@dataclass(frozen=True, eq=False)
class SliceInputs:
    """A registered volume, all arrays on the fixed grid.

    Parameters
    ----------
    displacement : (ndim, *shape) numpy.ndarray of float32
        In voxels, pull-back.
    residual : (*shape) numpy.ndarray
        Absolute difference of the scaled images.
    images : sequence of (*shape) numpy.ndarray
        Fixed and warped image, to tell the object from empty background.
    score, variance : (*shape) numpy.ndarray, optional
        Maps of the model; the variance counts where there is no score.
    fixed_labels, warped_labels, moving_labels : numpy.ndarray, optional
        Segmentations on the fixed grid; the last one unregistered.
    """

    displacement: NDArray[np.float32]
    residual: NDArray[np.floating]
    images: tuple[NDArray[Any], ...] = ()
    score: NDArray[np.floating] | None = None
    variance: NDArray[np.floating] | None = None
    fixed_labels: NDArray[np.integer] | None = None
    warped_labels: NDArray[np.integer] | None = None
    moving_labels: NDArray[np.integer] | None = None


_ROWS = (
    'voxels',
    'object',
    'trust',
    'residual',
    'folded',
    'both',
    'size',
    'both before',
    'size before',
)


def slice_sums(inputs: SliceInputs) -> list[dict[str, FloatArray]]:
    """Return the sums over every slice along every axis."""
    shape = inputs.residual.shape
    if len(shape) == 2:
        shape = (1, *shape)
    found = [
        {name: np.zeros(n) for name in _ROWS} for n in shape[: len(shape)]
    ]
    for planes, values in _slabs(inputs, shape[0]):
        for name, slab in values.items():
            found[0][name][planes] += slab.sum(axis=(1, 2))
            for axis in range(1, len(shape)):
                others = tuple({0, 1, 2} - {axis})
                found[axis][name] += slab.sum(axis=others, dtype=np.float64)
    return found


def _slabs(
    inputs: SliceInputs, count: int
) -> Iterator[tuple[slice, dict[str, NDArray[Any]]]]:
    """Yield what is to be summed, a few planes at a time."""
    flat = inputs.residual.ndim == 2
    floors = [_floor(image) for image in inputs.images]
    trust = inputs.variance if inputs.score is None else inputs.score
    for start in range(0, count, _PLANES):
        planes = slice(start, min(start + _PLANES, count))
        where = (...,) if flat else (planes,)
        inside = np.ones(inputs.residual[where].shape, bool)
        if floors:
            inside[...] = False
            for image, floor in zip(inputs.images, floors, strict=True):
                inside |= image[where] > floor
        values: dict[str, NDArray[Any]] = {
            'voxels': np.ones(inside.shape, bool),
            'object': inside,
            'residual': np.where(inside, inputs.residual[where], 0),
            'folded': _folded(inputs.displacement, planes, flat),
            **_overlaps(inputs, where),
        }
        if trust is not None:
            values['trust'] = np.where(inside, trust[where], 0)
        if flat:
            values = {name: x[None] for name, x in values.items()}
        yield planes, values


def _floor(image: NDArray[Any]) -> float:
    low, high = float(np.min(image)), float(np.max(image))
    return low + _EMPTY * (high - low)


def _folded(
    displacement: NDArray[np.float32], planes: slice, flat: bool
) -> NDArray[np.bool_]:
    """Return where these planes fold; neighbours are looked at too."""
    if flat:
        return jacobian_determinant(displacement) <= 0
    low = max(planes.start - 1, 0)
    slab = jacobian_determinant(displacement[:, low : planes.stop + 1])
    first = planes.start - low
    inner = slab[first : first + planes.stop - planes.start]
    folded: NDArray[np.bool_] = inner <= 0
    return folded


def _overlaps(
    inputs: SliceInputs, where: tuple[object, ...]
) -> dict[str, NDArray[Any]]:
    if inputs.fixed_labels is None or inputs.warped_labels is None:
        return {}
    fixed = inputs.fixed_labels[where]  # type: ignore[index]
    found: dict[str, NDArray[Any]] = {}
    for labels, suffix in (
        (inputs.warped_labels, ''),
        (inputs.moving_labels, ' before'),
    ):
        if labels is not None:
            other = labels[where]  # type: ignore[index]
            found[f'both{suffix}'] = (fixed == other) & (fixed > 0)
            sizes = (fixed > 0).astype(np.uint8) + (other > 0)
            found[f'size{suffix}'] = sizes
    return found
