"""Slice by slice, before and after registration, for plots and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from napari_adacs.evaluation.inputs import FloatArray, as_labels
from napari_adacs.evaluation.slice_metrics import (
    SliceMetrics,
    mean_slice_metrics,
    slice_metrics_of_labels,
)
from napari_adacs.evaluation.tables import Cell
from napari_adacs.spatial.grid import Units

Axes = tuple[SliceMetrics, ...]
_Side = Mapping[int, Axes] | None

# Attribute of `SliceMetrics`, heading, digits.
COLUMNS = (('dsc', 'DSC', 3), ('assd', 'ASSD', 2), ('hd', 'HD', 2))


@dataclass(frozen=True, eq=False)
class SliceCurves:
    """Metrics of one label along one axis.

    Parameters
    ----------
    before, after : SliceMetrics or None
        Fixed against moving and against warped labels; None where nothing
        was compared.
    """

    before: SliceMetrics | None
    after: SliceMetrics | None

    @property
    def n_slices(self) -> int:
        """Number of slices along the axis."""
        some = self.before or self.after
        return 0 if some is None else len(some)

    def values(self, name: str) -> tuple[FloatArray | None, FloatArray | None]:
        """Return one metric ('dsc', 'assd', 'hd') before and after."""
        before, after = self.before, self.after
        return (
            None if before is None else getattr(before, name),
            None if after is None else getattr(after, name),
        )


@dataclass(frozen=True, eq=False)
class SliceTable:
    """Metrics of all labels in all slices along all axes.

    Parameters
    ----------
    before, after : mapping of int to tuple of SliceMetrics, or None
        For each label one per array axis; None where nothing was compared.
    units : {'mm', 'voxel'}
        Unit of the distances.
    """

    before: Mapping[int, Axes] | None
    after: Mapping[int, Axes] | None
    units: Units

    @property
    def labels(self) -> tuple[int, ...]:
        """Values of the labels."""
        return tuple(self.before or self.after or ())

    @property
    def ndim(self) -> int:
        """Number of array axes."""
        some = self.before or self.after
        return len(next(iter(some.values()))) if some else 0

    def curves(self, label: int | None, axis: int) -> SliceCurves:
        """Return the metrics along an axis.

        Parameters
        ----------
        label : int or None
            One of the labels; None for the mean over all.
        axis : int
            Array axis along which the slices follow each other.
        """
        return SliceCurves(
            *(_along(side, label, axis) for side in (self.before, self.after))
        )

    def records(self, axis: int) -> list[dict[str, Cell]]:
        """Return a row per label and slice along an axis.

        Slices without a voxel of the label, in any segmentation, are left
        out.
        """
        rows = []
        for label in self.labels:
            curves = self.curves(label, axis)
            for index in range(curves.n_slices):
                values = _row(curves, index)
                if any(value == value for value in values.values() if value):
                    rows.append({'label': label, 'slice': index, **values})
        return [{**row, 'units': self.units} for row in rows]


def slice_table(
    fixed: ArrayLike,
    before: ArrayLike | None,
    after: ArrayLike | None,
    labels: Sequence[int],
    spacing: float | Sequence[float] = 1.0,
    units: Units = 'voxel',
    progress: Callable[[float], object] | None = None,
) -> SliceTable:
    """Compare labels slice by slice before and after registration.

    Parameters
    ----------
    fixed : (*shape) array_like of int
        Segmentation of the fixed image, the reference; 2D or 3D.
    before, after : (*shape) array_like of int or None
        Moving and warped labels on the same grid.
    labels : sequence of int
        Values to compare.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order.
    units : {'mm', 'voxel'}, default: 'voxel'
        Unit of the spacing.
    progress : callable, optional
        Called with the fraction done; may raise to stop.

    Raises
    ------
    InputError
        If arrays are not segmentations, shapes differ, or the spacing does
        not fit.
    """
    reference = as_labels(fixed, 'fixed labels')

    def compared(other: ArrayLike | None, done: float) -> _Side:
        if other is None:
            return None
        part = _half(progress, done)
        return slice_metrics_of_labels(reference, other, labels, spacing, part)

    return SliceTable(compared(before, 0.0), compared(after, 0.5), units)


def _half(
    progress: Callable[[float], object] | None, share: float
) -> Callable[[float], object] | None:
    if progress is None:
        return None
    return lambda fraction: progress(share + fraction / 2)


def _along(
    side: Mapping[int, Axes] | None, label: int | None, axis: int
) -> SliceMetrics | None:
    if side is None:
        return None
    if label is not None:
        return side[label][axis]
    return mean_slice_metrics([axes[axis] for axes in side.values()])


def _row(curves: SliceCurves, index: int) -> dict[str, Cell]:
    row: dict[str, Cell] = {}
    for name, heading, _ in COLUMNS:
        for when, values in zip(
            ('before', 'after'), curves.values(name), strict=True
        ):
            cell = None if values is None else float(values[index])
            row[f'{heading} {when}'] = cell
    return row
