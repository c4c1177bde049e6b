"""Where and how much a displacement folds space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.errors import InputError
from napari_adacs.evaluation.inputs import BoolArray
from napari_adacs.spatial.jacobian import jacobian_determinant

# Learn2Reg's limits before the logarithm; a folded voxel counts as 1e-9.
_CLIP = (1e-9, 1e9)

_PLANES = 16  # planes of the volume worked on at once, to save memory

Index = tuple[int, ...]


@dataclass(frozen=True)
class FoldingStatistics:
    """How a displacement changes volume, over all voxels of its grid.

    Parameters
    ----------
    folded_percent : float
        Percentage of voxels whose Jacobian determinant, by central
        differences (one-sided at the border), is zero or negative. The
        number most papers print.
    folded_percent_strict : float
        Percentage of voxels that are a corner of a folded triangle (2D) or
        tetrahedron (3D) of the grid: any combination of forward and
        backward differences, and in 3D the two inner tetrahedra of the
        cell above the voxel [1]_. Zero means that the displacement,
        interpolated linearly between grid points, folds nowhere. Never
        below the other one, which averages over these combinations.
    sd_log_jacobian : float
        Standard deviation of the natural logarithm of the determinant
        (central differences), clipped to [1e-9, 1e9] before. Zero for a
        uniform change of volume; folded voxels make it large.
    sd_log_jacobian_learn2reg : float
        The same as the Learn2Reg challenges compute it: 3 is added to the
        determinant first and two voxels along the border are left out
        [2]_, so it is smaller and only comparable with their tables. NaN
        if fewer than five voxels lie along an axis.
    lowest, highest : float
        Extremes of the determinant by central differences.
    voxels : int
        Number of voxels.

    References
    ----------
    .. [1] Liu et al., "On finite difference Jacobian computation in
       deformable image registration", IJCV 2024, for the strict variant.
    .. [2] Hering et al., "Learn2Reg", IEEE TMI 42, 2023.
    """

    folded_percent: float
    folded_percent_strict: float
    sd_log_jacobian: float
    sd_log_jacobian_learn2reg: float
    lowest: float
    highest: float
    voxels: int


def folding_statistics(displacement: ArrayLike) -> FoldingStatistics:
    """Compute folding and volume change of a displacement.

    Parameters
    ----------
    displacement : (ndim, *shape) array_like of float
        Displacement in voxels, component order equal to array axis order;
        pull-back, ``warped(x) = moving(x + u(x))``. The determinant does not
        depend on the spacing.

    Returns
    -------
    FoldingStatistics
        Percentages and standard deviations over the whole grid.

    Raises
    ------
    InputError
        If the array is not a 2D or 3D displacement or is not finite.
    """
    voxels = _as_displacement(displacement)
    determinant = jacobian_determinant(voxels).astype(np.float64)
    inner = determinant[(slice(2, -2),) * determinant.ndim]
    folded = determinant <= 0
    # The union matters only where rounding decides the sign.
    strict = folded | folded_strictly(voxels)
    return FoldingStatistics(
        folded_percent=100 * float(folded.mean()),
        folded_percent_strict=100 * float(strict.mean()),
        sd_log_jacobian=_sd_log(determinant),
        sd_log_jacobian_learn2reg=_sd_log(inner + 3),
        lowest=float(determinant.min()),
        highest=float(determinant.max()),
        voxels=determinant.size,
    )


def folded_strictly(displacement: ArrayLike) -> BoolArray:
    """Return the voxels at which the digital grid folds.

    Parameters
    ----------
    displacement : (ndim, *shape) array_like of float
        Displacement in voxels, pull-back.

    Returns
    -------
    (*shape) numpy.ndarray of bool
        True where any simplex of grid points at the voxel has no or
        negative volume after the displacement.

    Raises
    ------
    InputError
        If the array is not a 2D or 3D displacement or is not finite.
    """
    voxels = _as_displacement(displacement)
    folded = np.zeros(voxels.shape[1:], bool)
    last = len(folded)
    for start in range(0, last, _PLANES):
        low, high = max(start - 1, 0), min(start + _PLANES + 1, last)
        slab = _folded_simplices(voxels[:, low:high])
        stop = min(start + _PLANES, last)
        folded[start:stop] = slab[start - low : stop - low]
    return folded


def _folded_simplices(voxels: NDArray[np.floating]) -> BoolArray:
    shape = voxels.shape[1:]
    folded = np.zeros(shape, bool)
    for origin, steps in _simplices(len(shape)):
        corners = [origin, *(_plus(origin, step) for step in steps)]
        place = _where_inside(shape, corners)
        start, *others = (
            voxels[(slice(None), *_shifted(place, corner))]
            for corner in corners
        )
        edges = [
            other - start + np.reshape(step, (-1, *[1] * len(shape)))
            for other, step in zip(others, steps, strict=True)
        ]
        orientation = np.sign(np.linalg.det(np.asarray(steps, float)))
        folded[place] |= _determinant(edges) * orientation <= 0
    return folded


def _where_inside(
    shape: tuple[int, ...], corners: Sequence[Index]
) -> tuple[slice, ...]:
    """Return the voxels for which all corners lie in the volume."""
    ranges = []
    for size, offsets in zip(shape, zip(*corners, strict=True), strict=True):
        low = -min(0, *offsets)
        ranges.append(slice(low, max(low, size - max(0, *offsets))))
    return tuple(ranges)


def _shifted(place: tuple[slice, ...], corner: Index) -> tuple[slice, ...]:
    return tuple(
        slice(s.start + offset, s.stop + offset)
        for s, offset in zip(place, corner, strict=True)
    )


def _simplices(ndim: int) -> Iterator[tuple[Index, list[Index]]]:
    """Yield origin and edges of the simplices that belong to a voxel."""
    unit = np.eye(ndim, dtype=int)
    for signs in product((1, -1), repeat=ndim):
        yield (
            (0,) * ndim,
            [tuple((unit[i] * signs[i]).tolist()) for i in range(ndim)],
        )
    if ndim == 3:
        # The cube of eight grid points is eight corner tetrahedra, which
        # overlap, and these two, which the corners leave out.
        yield (0, 0, 0), [(1, 1, 0), (0, 1, 1), (1, 0, 1)]
        yield (1, 1, 1), [(0, -1, -1), (-1, 0, -1), (-1, -1, 0)]


def _plus(a: Index, b: Index) -> Index:
    return tuple(p + q for p, q in zip(a, b, strict=True))


def _determinant(rows: list[NDArray[np.floating]]) -> NDArray[np.floating]:
    """Return the determinant of ndim vectors (ndim, *shape)."""
    out: NDArray[np.floating]
    if len(rows) == 2:
        (a, b), (c, d) = rows
        out = a * d - b * c
    else:
        (a, b, c), (d, e, f), (g, h, i) = rows
        out = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return out


def _sd_log(determinant: NDArray[np.floating]) -> float:
    if not determinant.size:
        return float('nan')
    return float(np.log(np.clip(determinant, *_CLIP)).std())


def _as_displacement(values: ArrayLike) -> NDArray[np.floating]:
    array = np.asarray(values)
    if array.dtype.kind not in 'iuf':
        raise InputError('A displacement must be an array of numbers.')
    if array.ndim not in (3, 4) or array.shape[0] != array.ndim - 1:
        raise InputError(
            f'A displacement has the shape (2, y, x) or (3, z, y, x), not '
            f'{array.shape}.',
            'Put the components first, in array axis order.',
        )
    if not np.isfinite(array).all():
        raise InputError('The displacement has NaN or infinite values.')
    if array.size == 0:
        raise InputError('The displacement has no voxels.')
    return array
