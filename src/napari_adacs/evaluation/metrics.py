"""The numbers of one label, before and after registration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from napari_adacs.evaluation.comparison import Comparison

# Attribute stem of each metric and its heading.
PAIRED = {
    'dsc': 'DSC',
    'jaccard': 'Jaccard',
    'hd': 'HD',
    'hd95': 'HD95',
    'asd': 'ASD',
    'assd': 'ASSD',
}
VOLUMES = ('moving', 'fixed', 'warped')


@dataclass(frozen=True)
class LabelMetrics:
    """Metrics of one label, or their mean over labels.

    'Before' compares the fixed with the moving label, 'after' with the
    warped one. None stands for "not computed" (no displacement, or no common
    grid), NaN for "undefined" (both masks empty). Distances are in the units
    of the evaluation, volumes in these units cubed (squared in 2D).

    Parameters
    ----------
    label : int or 'mean'
        Value of the label.
    name : str
        Its name, '' if it has none.
    dsc_before, dsc_after : float or None
        Dice similarity coefficient.
    jaccard_before, jaccard_after : float or None
        Jaccard index.
    hd_before, hd_after : float or None
        Hausdorff distance.
    hd95_before, hd95_after : float or None
        Larger one of the two directed 95th percentiles.
    asd_before, asd_after : float or None
        Mean distance from the fixed surface to the other.
    assd_before, assd_after : float or None
        Mean distance over both surfaces.
    volume_moving, volume_fixed, volume_warped : float or None
        Volume, or area in 2D.
    flags : tuple of str
        What to know before trusting the row: which masks were empty, and
        where a distance is the diagonal of the volume in place of a
        measurement.
    """

    label: int | Literal['mean']
    name: str = ''
    dsc_before: float | None = None
    dsc_after: float | None = None
    jaccard_before: float | None = None
    jaccard_after: float | None = None
    hd_before: float | None = None
    hd_after: float | None = None
    hd95_before: float | None = None
    hd95_after: float | None = None
    asd_before: float | None = None
    asd_after: float | None = None
    assd_before: float | None = None
    assd_after: float | None = None
    volume_moving: float | None = None
    volume_fixed: float | None = None
    volume_warped: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def volume_difference_before(self) -> float | None:
        """Moving minus fixed volume; negative where moving is smaller."""
        return _difference(self.volume_moving, self.volume_fixed)

    @property
    def volume_difference_after(self) -> float | None:
        """Warped minus fixed volume; 0 where registration keeps it."""
        return _difference(self.volume_warped, self.volume_fixed)

    @property
    def notes(self) -> str:
        """The flags as one text; '' if there is nothing to say."""
        return '; '.join(self.flags)

    def as_dict(self) -> dict[str, float | str | None]:
        """Return the row with the headings of the table as keys."""
        row: dict[str, float | str | None] = {
            'label': self.label,
            'name': self.name,
        }
        for stem, heading in PAIRED.items():
            for when in ('before', 'after'):
                row[f'{heading} {when}'] = getattr(self, f'{stem}_{when}')
        for which in VOLUMES:
            row[f'volume {which}'] = getattr(self, f'volume_{which}')
        for when in ('before', 'after'):
            row[f'volume difference {when}'] = getattr(
                self, f'volume_difference_{when}'
            )
        row['notes'] = self.notes
        return row


def label_metrics(
    label: int,
    name: str,
    volumes: tuple[float, float],
    comparisons: tuple[Comparison | None, Comparison | None],
) -> LabelMetrics:
    """Make the row of one label from its comparisons.

    Parameters
    ----------
    label : int
        Value of the label.
    name : str
        Its name.
    volumes : (moving, fixed) tuple of float
        Its volume in both segmentations.
    comparisons : (before, after) tuple of Comparison or None
        Fixed against moving and fixed against warped.
    """
    moving, fixed = volumes
    before, after = comparisons
    flags = []
    if not moving:
        flags.append('missing in moving')
    if not fixed:
        flags.append('missing in fixed')
    if after is not None and moving and not after.volume_b:
        flags.append('empty after warping')
    flags += _doubts(before, 'before') + _doubts(after, 'after')
    return LabelMetrics(
        label,
        name,
        volume_moving=moving,
        volume_fixed=fixed,
        volume_warped=None if after is None else after.volume_b,
        flags=tuple(flags),
        **_measured(before, 'before'),
        **_measured(after, 'after'),
    )


def mean_over_labels(rows: Sequence[LabelMetrics]) -> LabelMetrics:
    """Return the mean of each number, and say what it is made of.

    Labels with a flag are counted in: a label that was lost has DSC 0 and
    the diagonal as its distance. Only undefined values (NaN) are left out.
    """
    means: dict[str, Any] = {}
    flags = []
    for field in fields(LabelMetrics):
        if field.name in ('label', 'name', 'flags'):
            continue
        column = [getattr(row, field.name) for row in rows]
        values = [v for v in column if v is not None and not np.isnan(v)]
        means[field.name] = float(np.mean(values)) if values else None
        if column and not values and None not in column:
            means[field.name] = float('nan')
    flagged = sum(bool(row.flags) for row in rows)
    if flagged:
        flags.append(f'{flagged} of {len(rows)} labels flagged')
    undefined = sum(
        any(isinstance(v, float) and np.isnan(v) for v in _numbers(row))
        for row in rows
    )
    if undefined:
        flags.append(f'{undefined} without distances left out of their mean')
    return LabelMetrics('mean', flags=tuple(flags), **means)


def _doubts(
    comparison: Comparison | None, when: Literal['before', 'after']
) -> list[str]:
    if comparison is None or not comparison.surface.flagged:
        return []
    if np.isnan(comparison.dsc):
        return [f'left out {when}: a mask is empty']
    if comparison.surface.empty == 'both':
        return [f'distances {when} undefined']
    return [f'distances {when} = diagonal of the volume']


def _measured(
    comparison: Comparison | None, when: Literal['before', 'after']
) -> dict[str, float]:
    """Return the fields that one comparison fills."""
    if comparison is None:
        return {}
    surface = comparison.surface
    values = {
        'dsc': comparison.dsc,
        'jaccard': comparison.jaccard,
        'hd': surface.hd,
        'hd95': surface.hd95,
        'asd': surface.asd,
        'assd': surface.assd,
    }
    return {f'{stem}_{when}': value for stem, value in values.items()}


def _difference(value: float | None, reference: float | None) -> float | None:
    if value is None or reference is None:
        return None
    return value - reference


def _numbers(row: LabelMetrics) -> list[float | None]:
    return [
        getattr(row, field.name)
        for field in fields(row)
        if field.name not in ('label', 'name', 'flags')
    ]
