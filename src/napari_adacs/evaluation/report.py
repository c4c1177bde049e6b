"""The table of a registration: each label before and after."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_adacs.errors import InputError
from napari_adacs.evaluation.before_after import (
    Policy,
    Preset,
    Rules,
    compare_before_after,
)
from napari_adacs.evaluation.comparison import label_counts
from napari_adacs.evaluation.folding import (
    FoldingStatistics,
    folding_statistics,
)
from napari_adacs.evaluation.frame import Frame
from napari_adacs.evaluation.inputs import LabelArray, as_labels
from napari_adacs.evaluation.metrics import (
    PAIRED,
    VOLUMES,
    LabelMetrics,
    label_metrics,
    mean_over_labels,
)
from napari_adacs.evaluation.tables import Cell, markdown_table, write_csv
from napari_adacs.spatial.grid import Grid, Units

if TYPE_CHECKING:
    from napari_adacs.spatial.field import DisplacementField

_WHEN = ('before', 'after')


@dataclass(frozen=True)
class Evaluation:
    """Metrics of all labels of one pair; iterates over its rows.

    Parameters
    ----------
    rows : list of LabelMetrics
        One per label, in ascending order or as asked for.
    mean : LabelMetrics
        Mean over the rows, flagged ones included.
    units : {'mm', 'voxel'}
        Unit of the distances; volumes are in mm³ or voxels (mm² or pixels
        in 2D).
    spacing : tuple of float
        Voxel size of the fixed labels that was used.
    folding : FoldingStatistics or None
        Folding of the displacement, if one was given.
    notes : tuple of str
        What holds for the whole table.
    """

    rows: list[LabelMetrics]
    mean: LabelMetrics
    units: Units
    spacing: tuple[float, ...]
    folding: FoldingStatistics | None = None
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[LabelMetrics]:
        """Iterate over the rows of the labels, without the mean."""
        return iter(self.rows)

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.rows)

    @property
    def folded_percent(self) -> float | None:
        """Percentage of folded voxels by central differences."""
        return None if self.folding is None else self.folding.folded_percent

    def records(self) -> list[dict[str, Cell]]:
        """Return all rows and the mean as tidy records.

        Beside the keys of `LabelMetrics.as_dict` each has the 'units' and
        the 'folded percent' of the whole table.
        """
        return [
            {
                **row.as_dict(),
                'units': self.units,
                'folded percent': self.folded_percent,
            }
            for row in (*self.rows, self.mean)
        ]

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the records as CSV; the file appears complete or not.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        write_csv(path, self.records())

    def to_markdown(self) -> str:
        """Return the table in Markdown, with units, folding and notes."""
        heads = {
            f'{heading} {when}': 3 if heading in ('DSC', 'Jaccard') else 2
            for heading in PAIRED.values()
            for when in _WHEN
        }
        heads |= {f'volume {which}': 1 for which in VOLUMES}
        heads |= {f'volume difference {when}': 1 for when in _WHEN}
        rows = [row.as_dict() for row in (*self.rows, self.mean)]
        lines = [markdown_table(rows, heads), self._caption()]
        return '\n'.join([*lines, *(f'\n{note}' for note in self.notes)])

    def _caption(self) -> str:
        axes = '²' if len(self.spacing) == 2 else '³'
        volume = f'mm{axes}' if self.units == 'mm' else 'voxels'
        text = f'Distances in {self.units}, volumes in {volume}.'
        if self.folding is None:
            return text + '\n'
        return (
            f'{text} Folded voxels: {self.folding.folded_percent:.4g} % '
            f'(strict: {self.folding.folded_percent_strict:.4g} %). '
            f'SD of log Jacobian: {self.folding.sd_log_jacobian:.3g}.\n'
        )


def evaluate(
    moving_labels: ArrayLike,
    fixed_labels: ArrayLike,
    field: DisplacementField | None = None,
    spacing: float | Sequence[float] | None = None,
    *,
    labels: Sequence[int] | None = None,
    label_names: Mapping[int, str] | None = None,
    warped_labels: ArrayLike | None = None,
    grid: Grid | None = None,
    moving_grid: Grid | None = None,
    policy: Policy = 'linear',
    preset: Preset = 'default',
) -> Evaluation:
    """Compare labels before and after registration.

    Parameters
    ----------
    moving_labels : (*moving_shape) array_like of int
        Segmentation of the moving image, 0 is background; 2D or 3D.
    fixed_labels : (*shape) array_like of int
        Segmentation of the fixed image, the reference.
    field : DisplacementField, optional
        Displacement on the grid of the fixed labels, pull-back. Without it
        (and without `warped_labels`) only 'before' is filled.
    spacing : float or sequence of float, optional
        Voxel size of the fixed labels in mm, array axis order. If omitted,
        that of `grid` or of the field, else 1 voxel.
    labels : sequence of int, optional
        Values to compare; by default all that occur in either.
    label_names : mapping of int to str, optional
        Names for the table.
    warped_labels : (*shape) array_like of int, optional
        Moving labels already warped, used in place of the field.
    grid : Grid, optional
        Grid of the fixed labels; by default the field's.
    moving_grid : Grid, optional
        Grid of the moving labels; by default the one the field knows, else
        that of the fixed labels if the shapes agree. If it has other voxels
        than `grid`, 'before' compares a nearest-neighbour copy on `grid`.
    policy : {'linear', 'nearest'}, default: 'linear'
        How the field warps labels: 'linear' interpolates each label and
        keeps the largest (0.5 is the limit for one label), 'nearest' copies.
    preset : {'default', 'code'}, default: 'default'
        'code' follows the script behind the tables of the AdaCS and
        heteroscedastic papers: a voxel is inside a warped mask where its
        linear share is above 0 at all, distances are in voxels, and labels
        with an empty mask are left out of the mean (and counted). It needs
        the field and ignores `policy`, `spacing` and `warped_labels`.

    Returns
    -------
    Evaluation
        A row per label, their mean, and the folding of the field.

    Raises
    ------
    InputError
        If an input is not a segmentation, there is no label at all, shapes
        or grids do not fit, or the spacing is not positive and finite.
    """
    moving = as_labels(moving_labels, 'moving labels')
    fixed = as_labels(fixed_labels, 'fixed labels')
    rules = Rules(policy, preset)
    frame = rules.adapt(
        Frame.find(moving, fixed, field, spacing, grid, moving_grid)
    )
    volumes = (
        _volumes(moving, frame.moving_spacing),
        _volumes(fixed, frame.spacing),
    )
    wanted = _wanted(labels, *volumes)
    compared = compare_before_after(
        moving, fixed, field, warped_labels, wanted, frame, rules
    )
    rows = [
        label_metrics(
            label,
            (label_names or {}).get(label, ''),
            (volumes[0].get(label, 0.0), volumes[1].get(label, 0.0)),
            (compared.before.get(label), compared.after.get(label)),
        )
        for label in wanted
    ]
    return Evaluation(
        rows,
        mean_over_labels(rows),
        frame.units,
        frame.spacing,
        None if field is None else folding_statistics(field.voxels),
        compared.notes,
    )


def _volumes(labels: LabelArray, spacing: Sequence[float]) -> dict[int, float]:
    """Return the volume of each label, background left out."""
    voxel = float(np.prod(spacing))
    return {
        label: count * voxel
        for label, count in label_counts(labels).items()
        if label != 0
    }


def _wanted(
    labels: Sequence[int] | None, *volumes: Mapping[int, float]
) -> list[int]:
    if labels is None:
        wanted = sorted(set().union(*volumes))
        if not wanted:
            raise InputError(
                'There are no labels: both segmentations are background.',
                'Choose segmentations that are not empty.',
            )
        return wanted
    whole = all(isinstance(label, int | np.integer) for label in labels)
    if len(labels) == 0 or not whole or 0 in labels:
        raise InputError(
            'The labels to compare must be whole numbers other than 0, '
            'which is background.'
        )
    return list(dict.fromkeys(int(label) for label in labels))
