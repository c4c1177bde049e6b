"""How suspicious each slice of a registered volume is.

A slice is suspicious where it stands out from the other slices of the same
volume: a lower score, a larger residual, a lower overlap of labels; or where
it folds, or where labels overlap less than before registration.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_adacs.evaluation.slice_sums import (
    FloatArray,
    SliceInputs,
    slice_sums,
)

# Spread below which differences between slices mean nothing, in the unit of
# each component.
_LEAST_SPREAD = {'score': 0.02, 'variance': 0.002, 'residual': 0.01}
_LEAST_DSC_SPREAD = 0.05
_FOLDED_PERCENT = 0.5  # counts as one deviation
_DSC_LOSS = 0.05  # likewise, from before to after
_SCALE = 3.0  # deviations after which 63 of 100 are reached
_LEAST_FOREGROUND = 0.005  # of a slice; with less, means are noise


@dataclass(frozen=True, eq=False)
class Component:
    """One reason for suspicion, slice by slice.

    Parameters
    ----------
    name : str
        'score', 'variance', 'residual', 'folding' or 'dsc'.
    values : (n,) numpy.ndarray of float64
        The measured figure; NaN where a slice has none.
    deviations : (n,) numpy.ndarray of float64
        How far it is on the bad side, in robust standard deviations of the
        volume (or the fixed steps of folding and loss of DSC); 0 or more.
    """

    name: str
    values: FloatArray
    deviations: FloatArray


@dataclass(frozen=True, eq=False)
class SliceFigures:
    """The slices along one axis.

    Parameters
    ----------
    axis : int
        Array axis of the fixed grid.
    components : tuple of Component
        What could be measured.
    """

    axis: int
    components: tuple[Component, ...]

    def __len__(self) -> int:
        """Return the number of slices."""
        return self.suspicion.size

    @property
    def suspicion(self) -> FloatArray:
        """(n,) suspicion from 0 to just below 1: ``1 - exp(-Z / 3)``.

        ``Z`` is the sum of the deviations of all components.
        """
        total = np.sum([c.deviations for c in self.components], axis=0)
        found: FloatArray = 1 - np.exp(-total / _SCALE)
        return found

    def worst_first(self) -> NDArray[np.intp]:
        """Return the slices by falling suspicion."""
        return np.argsort(-self.suspicion, kind='stable')

    def next_worst(
        self, current: int, done: Collection[int] = ()
    ) -> int | None:
        """Return the most suspicious slice that is not done.

        If all are done, the one that follows the current one in the order
        of suspicion, around the end.

        Parameters
        ----------
        current : int
            A slice that is not returned, unless there is no other.
        done : collection of int
            Slices that have a verdict.
        """
        order = self.worst_first().tolist()
        waiting = [k for k in order if k not in done and k != current]
        if waiting:
            return int(waiting[0])
        if len(order) < 2 or len(set(done) | {current}) < len(order):
            return None
        return int(order[(order.index(current) + 1) % len(order)])


def slice_figures(inputs: SliceInputs) -> tuple[SliceFigures, ...]:
    """Measure every slice along every axis.

    Parameters
    ----------
    inputs : SliceInputs
        The volume. A 2D image is a single slice.

    Returns
    -------
    tuple of SliceFigures
        One per array axis; one in all for a 2D image.

    Notes
    -----
    Means of score, variance and residual are over the object: voxels where
    the fixed or the warped image exceeds its minimum by 2 % of its range.
    Slices with less than 0.5 % of object have none. A deviation is
    ``(value - median) / spread`` on the bad side, with the median and 1.4826
    times the median absolute deviation over the slices; for folding it is
    the percentage of folded voxels over 0.5. Labels are taken together,
    ``2 |A and B| / (|A| + |B|)`` over all of them; their deviation is the
    larger one of that from the median and of the loss from before to after
    over 0.05, times the area of the labels relative to the median slice
    where that is smaller.
    """
    flat = inputs.residual.ndim == 2
    axes = (0,) if flat else tuple(range(inputs.residual.ndim))
    sums = slice_sums(inputs)
    return tuple(SliceFigures(a, _components(sums[a], inputs)) for a in axes)


def _components(
    sums: dict[str, FloatArray], inputs: SliceInputs
) -> tuple[Component, ...]:
    count = np.where(
        sums['object'] >= _LEAST_FOREGROUND * sums['voxels'],
        sums['object'],
        np.nan,
    )
    found = []
    if inputs.score is not None:
        score = sums['trust'] / count
        found.append(_standing_out('score', score, -score))
    elif inputs.variance is not None:
        variance = sums['trust'] / count
        found.append(_standing_out('variance', variance, variance))
    residual = sums['residual'] / count
    found.append(_standing_out('residual', residual, residual))
    folded = 100 * sums['folded'] / sums['voxels']
    found.append(Component('folding', folded, folded / _FOLDED_PERCENT))
    if inputs.fixed_labels is not None and inputs.warped_labels is not None:
        found.append(_overlap(sums, inputs.moving_labels is not None))
    return tuple(found)


def _standing_out(
    name: str, values: FloatArray, badness: FloatArray
) -> Component:
    deviations = _deviations(badness, _LEAST_SPREAD[name])
    return Component(name, values, deviations)


def _deviations(badness: FloatArray, least: float) -> FloatArray:
    """Return how far each value lies above the median, in spreads."""
    known = badness[np.isfinite(badness)]
    if known.size < 3:
        return np.zeros(badness.size)
    middle = float(np.median(known))
    spread = 1.4826 * float(np.median(np.abs(known - middle)))
    above = (badness - middle) / max(spread, least)
    return np.nan_to_num(np.clip(above, 0, None))


def _overlap(sums: dict[str, FloatArray], has_before: bool) -> Component:
    dsc = _dice(sums['both'], sums['size'])
    deviations = _deviations(-dsc, _LEAST_DSC_SPREAD)
    if has_before:
        before = _dice(sums['both before'], sums['size before'])
        loss = np.nan_to_num((before - dsc) / _DSC_LOSS)
        deviations = np.maximum(deviations, loss)
    return Component('dsc', dsc, deviations * _share(sums['size']))


def _share(sizes: FloatArray) -> FloatArray:
    """Return the label area relative to the median slice, at most 1.

    Where a label begins and ends, its overlap is a matter of few voxels.
    """
    labelled = sizes[sizes > 0]
    if not labelled.size:
        return np.ones(sizes.size)
    share: FloatArray = np.minimum(sizes / np.median(labelled), 1.0)
    return share


def _dice(both: FloatArray, sizes: FloatArray) -> FloatArray:
    """Return the overlap; NaN where there is no label."""
    found: FloatArray = 2 * both / np.where(sizes > 0, sizes, np.nan)
    return found
