"""Is a predicted variance right, and does a map follow the true error.

Sparsification asks only whether the order is right. Calibration asks whether
the predicted variance is as large as the squared error that is observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.errors import InputError
from napari_adacs.evaluation.columns import average_ranks, columns
from napari_adacs.evaluation.inputs import FloatArray

Binning = Literal['quantile', 'width']


@dataclass(frozen=True, eq=False)
class Calibration:
    """Predicted against observed error, bin by bin.

    Bins hold voxels of similar predicted variance, ascending; empty ones are
    left out. Errors are in the unit of the residual.

    Parameters
    ----------
    predicted : (B,) numpy.ndarray of float64
        Root of the mean predicted variance of each bin.
    observed : (B,) numpy.ndarray of float64
        Root of the mean squared residual of each bin.
    counts : (B,) numpy.ndarray of int
        Voxels in each bin.
    ece : float
        Expected calibration error: mean over voxels of
        ``|observed - predicted|`` of their bin. 0 is perfect.
    ence : float
        Expected normalised calibration error: mean over bins of
        ``|observed - predicted| / predicted`` [1]_. NaN where a bin predicts
        no error at all.
    slope, intercept : float
        Line ``observed = slope * predicted + intercept`` through the bins,
        weighted by their voxels; 1 and 0 are perfect, a slope below 1 means
        that differences in variance are exaggerated. NaN for one bin.
    scale : float
        Mean squared residual over mean predicted variance: the factor that
        would make the variance right on average. Above 1 it is too small
        (overconfident). NaN if no variance is predicted anywhere.
    coverage : float
        Fraction of voxels with a residual within one predicted standard
        deviation; 0.683 for normal errors of that variance.

    References
    ----------
    .. [1] Levi et al., "Evaluating and calibrating uncertainty prediction
       in regression tasks", Sensors 22, 2022 (ENCE).
    """

    predicted: FloatArray
    observed: FloatArray
    counts: NDArray[np.intp]
    ece: float
    ence: float
    slope: float
    intercept: float
    scale: float
    coverage: float


@dataclass(frozen=True)
class Correlation:
    """How a map follows an error.

    Parameters
    ----------
    spearman : float
        Correlation of the ranks: whether the order is right. NaN for a
        constant map.
    pearson : float
        Linear correlation. NaN for a constant map.
    voxels : int
        Number of voxels.
    """

    spearman: float
    pearson: float
    voxels: int


def calibration(
    variance: ArrayLike,
    residual: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    bins: int = 20,
    binning: Binning = 'quantile',
) -> Calibration:
    """Compare a predicted variance with the residual that is observed.

    Parameters
    ----------
    variance : (*shape) array_like of float
        Predicted variance, not negative.
    residual : (*shape) array_like of float
        Observed residual (its sign does not matter) in the unit whose
        square the variance has. The variance map of this package belongs to
        images scaled to [0, 1], as does `RegistrationResult.residual`.
    mask : (*shape) array_like of bool, optional
        Voxels to look at; all if omitted. Background, where both are about
        0, makes any map look calibrated: leave it out.
    bins : int, default: 20
        Number of bins.
    binning : {'quantile', 'width'}, default: 'quantile'
        Bins of equally many voxels, or of equal width in variance.

    Returns
    -------
    Calibration
        The curve and its summaries.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, a variance is negative, no
        voxel is left, or the bins make no sense.
    """
    variances, residuals = columns(variance, residual, mask)
    if variances.min() < 0:
        raise InputError(
            'A variance must not be negative.',
            'Pass the variance itself, not its logarithm.',
        )
    if bins < 1 or binning not in ('quantile', 'width'):
        raise InputError(
            "Calibration needs at least one bin, by 'quantile' or 'width'."
        )
    squares = residuals**2
    place = _bin_of(variances, bins, binning)
    counts = np.bincount(place, minlength=bins)
    used = counts > 0
    predicted, observed = (
        np.sqrt(np.bincount(place, values, bins)[used] / counts[used])
        for values in (variances, squares)
    )
    counts = counts[used]
    gap = np.abs(observed - predicted)
    slope, intercept = _line(predicted, observed, counts)
    total = float(variances.sum())
    return Calibration(
        predicted,
        observed,
        counts,
        ece=float(np.average(gap, weights=counts)),
        ence=_mean_ratio(gap, predicted),
        slope=slope,
        intercept=intercept,
        scale=float(squares.sum()) / total if total else float('nan'),
        coverage=float(np.mean(squares <= variances)),
    )


def map_correlation(
    uncertainty: ArrayLike,
    error: ArrayLike,
    *,
    mask: ArrayLike | None = None,
) -> Correlation:
    """Correlate a map with an error, for instance of the displacement.

    Parameters
    ----------
    uncertainty : (*shape) array_like of float
        The map; for a score pass ``1 - score``.
    error : (*shape) array_like of float
        Error per voxel, such as `endpoint_error` on a phantom.
    mask : (*shape) array_like of bool, optional
        Voxels to look at; all if omitted.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or no voxel is left.
    """
    doubts, errors = columns(uncertainty, error, mask)
    return Correlation(
        spearman=_pearson(average_ranks(doubts), average_ranks(errors)),
        pearson=_pearson(doubts, errors),
        voxels=doubts.size,
    )


def endpoint_error(
    displacement: ArrayLike,
    truth: ArrayLike,
    spacing: ArrayLike = 1.0,
) -> FloatArray:
    """Return the length of the error of a displacement.

    Parameters
    ----------
    displacement, truth : (ndim, *shape) array_like of float
        Pull-back displacements in voxels of one grid, component order equal
        to array axis order.
    spacing : float or (ndim,) array_like of float, default: 1.0
        Voxel size in array axis order.

    Returns
    -------
    (*shape) numpy.ndarray of float64
        Distance of the two endpoints in the unit of the spacing, for a grid
        with orthogonal axes.

    Raises
    ------
    InputError
        If the shapes differ or are not those of a displacement.
    """
    found = np.asarray(displacement, np.float64)
    true = np.asarray(truth, np.float64)
    if found.shape != true.shape or found.ndim != len(found) + 1:
        raise InputError(
            f'Displacements of shapes {found.shape} and {true.shape} cannot '
            'be compared.',
            'Give both as (ndim, *shape), on one grid.',
        )
    sizes = np.broadcast_to(np.asarray(spacing, np.float64), len(found))
    difference = (found - true) * sizes.reshape(-1, *[1] * (found.ndim - 1))
    length: FloatArray = np.linalg.norm(difference, axis=0)
    return length


def _bin_of(
    variances: FloatArray, bins: int, binning: Binning
) -> NDArray[np.intp]:
    if binning == 'width':
        edges = np.linspace(variances.min(), variances.max(), bins + 1)
    else:
        edges = np.quantile(variances, np.linspace(0, 1, bins + 1))
    # Equal variances share a bin; the highest belongs to the last one.
    return np.minimum(
        np.searchsorted(edges[1:-1], variances, side='right'), bins - 1
    )


def _line(
    x: FloatArray, y: FloatArray, weights: NDArray[np.intp]
) -> tuple[float, float]:
    if x.size < 2 or np.ptp(x) == 0:
        return float('nan'), float('nan')
    mean_x, mean_y = (np.average(v, weights=weights) for v in (x, y))
    spread = np.sum(weights * (x - mean_x) ** 2)
    slope = np.sum(weights * (x - mean_x) * (y - mean_y)) / spread
    return float(slope), float(mean_y - slope * mean_x)


def _mean_ratio(gap: FloatArray, predicted: FloatArray) -> float:
    if (predicted == 0).any():
        return float('nan')
    return float(np.mean(gap / predicted))


def _pearson(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else float('nan')
