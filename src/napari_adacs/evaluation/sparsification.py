"""Does the uncertainty know where the error is: sparsification and AUC.

Voxels are removed from the most uncertain to the most certain; the mean
error of those that remain should fall. The oracle removes by the error
itself. AUSE is the area between both curves (0 is perfect), AURG the area
gained over removing at random (0 is useless, negative is misleading).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from napari_adacs.errors import InputError
from napari_adacs.evaluation.columns import average_ranks, columns, ties
from napari_adacs.evaluation.inputs import FloatArray

Preset = Literal['paper', 'code']

_INTERVALS = 50  # in the authors' code


@dataclass(frozen=True, eq=False)
class Sparsification:
    """Sparsification curves of one uncertainty map.

    Errors are in the unit of the error map, fractions from 0 to 1.

    Parameters
    ----------
    fractions : (M,) numpy.ndarray of float64
        Fraction of the voxels removed, ascending from 0 to 1.
    curve : (M,) numpy.ndarray of float64
        Mean error of the voxels that remain, the most uncertain removed
        first; 0 where none remains.
    oracle : (M,) numpy.ndarray of float64
        The same with the largest errors removed first.
    random : float
        The same for random removal: the mean error, at any fraction.
    ause : float
        Area under `curve` minus area under `oracle`.
    aurg : float
        `random` minus area under `curve`.
    """

    fractions: FloatArray
    curve: FloatArray
    oracle: FloatArray
    random: float
    ause: float
    aurg: float

    def thinned(self, points: int = 201) -> Sparsification:
        """Return the curves at few fractions, for a plot.

        Parameters
        ----------
        points : int, default: 201
            Number of equidistant fractions. The areas stay those of the
            full curves.
        """
        fractions = np.linspace(0, 1, points)
        return Sparsification(
            fractions,
            np.interp(fractions, self.fractions, self.curve),
            np.interp(fractions, self.fractions, self.oracle),
            self.random,
            self.ause,
            self.aurg,
        )


def sparsification(
    error: ArrayLike,
    uncertainty: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    preset: Preset = 'paper',
) -> Sparsification:
    """Compute sparsification curves, AUSE and AURG.

    Parameters
    ----------
    error : (*shape) array_like of float
        Error per voxel, not negative, for instance the squared difference
        of warped and fixed image.
    uncertainty : (*shape) array_like of float
        Larger where the prediction is less certain; only its order
        matters. For a score map pass ``1 - score``.
    mask : (*shape) array_like of bool, optional
        Voxels to look at; all if omitted, as in the authors' code.
    preset : {'paper', 'code'}, default: 'paper'
        'paper' removes one voxel at a time, as the paper describes; voxels
        of equal uncertainty count with their mean error, so that their
        order does not matter. 'code' is what the authors run: 50
        intervals, subsets by percentile of the uncertainty (ties kept).
        Both end with 0 and are integrated by trapezoids.

    Returns
    -------
    Sparsification
        Curves and areas.

    Raises
    ------
    InputError
        If shapes differ, a value is NaN or infinite, an error is negative,
        or no voxel is left.

    References
    ----------
    .. [1] Ilg et al., "Uncertainty estimates and multi-hypotheses networks
       for optical flow", ECCV 2018 (AUSE).
    .. [2] Poggi et al., "On the uncertainty of self-supervised monocular
       depth estimation", CVPR 2020 (AURG, the 50 intervals).
    """
    errors, doubts = columns(error, uncertainty, mask)
    if errors.min() < 0:
        raise InputError(
            'The error must not be negative.',
            'Pass its square or absolute value.',
        )
    if preset == 'paper':
        curve = _remaining(errors, doubts)
        oracle = _remaining(errors, errors)
    elif preset == 'code':
        curve = _by_interval(errors, doubts)
        oracle = _by_interval(errors, errors)
    else:
        raise InputError(f"The preset is 'paper' or 'code', not {preset!r}.")
    fractions = np.linspace(0, 1, curve.size)
    mean = float(errors.mean())
    area = float(np.trapezoid(curve, fractions))
    return Sparsification(
        fractions,
        curve,
        oracle,
        random=mean,
        ause=area - float(np.trapezoid(oracle, fractions)),
        aurg=mean - area,
    )


def roc_auc(
    positive: ArrayLike, score: ArrayLike, mask: ArrayLike | None = None
) -> float:
    """Return the area under the ROC curve of a map for a binary truth.

    The probability that a random positive voxel scores above a random
    negative one, ties counting one half (Mann-Whitney U).

    Parameters
    ----------
    positive : (*shape) array_like of bool
        Where the score should be high, for instance the true nuisance.
    score : (*shape) array_like of float
        The map to judge.
    mask : (*shape) array_like of bool, optional
        Voxels to look at; all if omitted.

    Returns
    -------
    float
        0.5 for a map that knows nothing, 1 for a perfect one.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, `positive` is not binary,
        or there are not voxels of both kinds.
    """
    truth, scores = columns(positive, score, mask)
    positives = truth == 1
    if not np.all(positives | (truth == 0)):
        raise InputError('The true mask must be binary.')
    n_positive = int(np.count_nonzero(positives))
    n_negative = positives.size - n_positive
    if not n_positive or not n_negative:
        raise InputError(
            'A ROC curve needs voxels inside and outside the true mask.',
            'Leave this case out, and say that you did.',
        )
    rank_sum = float(average_ranks(scores)[positives].sum())
    wins = rank_sum - n_positive * (n_positive + 1) / 2
    return float(wins / (n_positive * n_negative))


def _remaining(errors: FloatArray, key: FloatArray) -> FloatArray:
    """Return the mean error left after removing 0, 1, ..., N voxels."""
    order = np.argsort(key)
    starts, counts = ties(key[order])
    means = np.add.reduceat(errors[order], starts) / counts
    total = np.cumsum(np.repeat(means, counts))
    kept = total / np.arange(1, total.size + 1)
    return np.append(kept[::-1], 0.0)


def _by_interval(errors: FloatArray, key: FloatArray) -> FloatArray:
    """Return the mean error above each 2 % percentile of certainty."""
    certainty = -key
    levels = [100 / _INTERVALS * i for i in range(_INTERVALS)]
    limits = np.percentile(certainty, levels)
    order = np.argsort(certainty)
    first = np.searchsorted(certainty[order], limits, side='left')
    total = np.cumsum(errors[order][::-1])[::-1]
    return np.append(total[first] / (key.size - first), 0.0)
