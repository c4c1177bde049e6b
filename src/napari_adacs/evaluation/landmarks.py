"""Target registration error of corresponding landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_adacs.errors import InputError
from napari_adacs.evaluation.inputs import BoolArray, FloatArray
from napari_adacs.evaluation.statistics import Summary, summarise

if TYPE_CHECKING:
    from napari_adacs.spatial.field import DisplacementField


@dataclass(frozen=True, eq=False)
class LandmarkErrors:
    """Target registration error (TRE) of each landmark.

    Parameters
    ----------
    before : (N,) numpy.ndarray of float64
        Distance of corresponding landmarks before registration, in mm.
    after : (N,) numpy.ndarray of float64 or None
        The same after it; None without a field.
    outside : (N,) numpy.ndarray of bool
        Landmarks outside the grid of the field: the displacement at its
        border was used for them. All False without a field.
    """

    before: FloatArray
    after: FloatArray | None
    outside: BoolArray

    def __len__(self) -> int:
        """Return the number of landmarks."""
        return self.before.size

    @property
    def summary_before(self) -> Summary:
        """Mean, SD, median and quartiles before."""
        return summarise(self.before)

    @property
    def summary_after(self) -> Summary | None:
        """Mean, SD, median and quartiles after; None without a field."""
        return None if self.after is None else summarise(self.after)

    @property
    def worst30_before(self) -> float:
        """The error that 30 % of the landmarks exceed, before."""
        return _worst30(self.before)

    @property
    def worst30(self) -> float | None:
        """The error that 30 % of the landmarks exceed (70th percentile).

        A robust view of the tail: a few landmarks that went astray hardly
        move it, a method that fails for a third of them cannot hide. None
        without a field.
        """
        return None if self.after is None else _worst30(self.after)

    @property
    def best30(self) -> float | None:
        """The error that 30 % of the landmarks stay below (30th percentile).

        None without a field.
        """
        if self.after is None:
            return None
        return float(np.percentile(self.after, 30))

    @property
    def improved(self) -> float | None:
        """Fraction of the landmarks that came closer; None without field.

        Called robustness in the BraTS-Reg challenge.
        """
        if self.after is None:
            return None
        return float(np.mean(self.after < self.before))

    def records(self) -> list[dict[str, float | str | None]]:
        """Return one tidy record per landmark, numbered from 0."""
        after = [None] * len(self) if self.after is None else self.after
        return [
            {
                'landmark': float(i),
                'TRE before': float(before),
                'TRE after': None if value is None else float(value),
                'notes': 'outside the field' if outside else '',
            }
            for i, (before, value, outside) in enumerate(
                zip(self.before, after, self.outside, strict=True)
            )
        ]


def target_registration_error(
    moving_points: ArrayLike,
    fixed_points: ArrayLike,
    field: DisplacementField | None = None,
) -> LandmarkErrors:
    """Measure how far corresponding landmarks lie apart.

    Parameters
    ----------
    moving_points : (N, ndim) array_like of float
        Landmarks of the moving image as world positions in mm: LPS, axes
        (x, y[, z]).
    fixed_points : (N, ndim) array_like of float
        The same landmarks in the fixed image, in the same order.
    field : DisplacementField, optional
        Pull-back displacement. Without it only 'before' is measured.

    Returns
    -------
    LandmarkErrors
        Distances per landmark, with summaries. Where the field has no
        physical size they are in voxels.

    Raises
    ------
    InputError
        If the points are not finite, or not the same number with as many
        coordinates as the field has axes.

    Notes
    -----
    After registration the landmark x of the fixed image belongs to
    x + u(x) in the moving image, and the error is its distance from the
    moving landmark. Measuring on the moving side needs no inverse of the
    field; for a field that stretches space by a factor the same error
    measured on the fixed side differs by that factor.
    """
    moving = _points(moving_points, 'moving')
    fixed = _points(fixed_points, 'fixed')
    if moving.shape != fixed.shape:
        raise InputError(
            f'{len(moving)} moving landmarks in {moving.shape[1]}D cannot be '
            f'paired with {len(fixed)} fixed ones in {fixed.shape[1]}D.',
            'Mark the same landmarks in both images, in the same order.',
        )
    before = np.linalg.norm(moving - fixed, axis=1)
    if field is None:
        return LandmarkErrors(before, None, np.zeros(len(fixed), bool))
    if field.grid.ndim != fixed.shape[1]:
        raise InputError(
            f'{fixed.shape[1]}D landmarks do not fit a {field.grid.ndim}D '
            'displacement.',
            'Choose the landmarks of these images.',
        )
    index = field.grid.world_to_index(fixed)
    last = np.asarray(field.grid.shape) - 1
    outside = np.any((index < -0.5) | (index > last + 0.5), axis=1)
    source = field.moving_grid or field.grid
    pulled = source.index_to_world(field.pull_points(index))
    after = np.linalg.norm(moving - pulled, axis=1)
    return LandmarkErrors(before, after, outside)


def _points(values: ArrayLike, name: str) -> FloatArray:
    try:
        points = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f'The {name} landmarks must be numbers.') from error
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not len(points):
        raise InputError(
            f'The {name} landmarks must be a list of 2D or 3D positions, not '
            f'an array of shape {points.shape}.',
            'Mark at least one landmark.',
        )
    if not np.isfinite(points).all():
        raise InputError(f'The {name} landmarks have NaN or infinite values.')
    return points


def _worst30(errors: FloatArray) -> float:
    return float(np.percentile(errors, 70))
