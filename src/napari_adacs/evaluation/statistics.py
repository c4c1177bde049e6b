"""Numbers over cases: summaries, confidence intervals, paired tests.

A case without a value is NaN. It never vanishes silently: every result says
how many cases it is made of and how many were left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_adacs.errors import InputError
from napari_adacs.evaluation.inputs import FloatArray

_NAN = float('nan')


@dataclass(frozen=True)
class Summary:
    """One metric over cases.

    Parameters
    ----------
    n : int
        Number of cases with a value.
    missing : int
        Number of cases without (NaN), in none of the numbers below.
    mean, sd : float
        Mean and sample standard deviation (n - 1); NaN where too few.
    median, q1, q3 : float
        Median and quartiles.
    """

    n: int
    missing: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float

    def __str__(self) -> str:
        """Return mean ± SD, and how many cases are missing if any."""
        text = f'{self.mean:.4g} ± {self.sd:.2g}'
        return f'{text} ({self.missing} missing)' if self.missing else text


@dataclass(frozen=True)
class Interval:
    """A confidence interval from `low` to `high`, at `level` (say 0.95)."""

    low: float
    high: float
    level: float


@dataclass(frozen=True)
class PairedTest:
    """A two-sided test of the differences between paired cases.

    Parameters
    ----------
    name : str
        Name of the test.
    statistic : float
        Its statistic.
    p : float
        Two-sided p-value; 1 if no pair differs.
    n : int
        Number of pairs.
    dropped : int
        Number of pairs left out because a value was missing.
    mean_difference : float
        Mean of first minus second.
    """

    name: str
    statistic: float
    p: float
    n: int
    dropped: int
    mean_difference: float


def summarise(values: ArrayLike) -> Summary:
    """Summarise one metric over cases.

    Parameters
    ----------
    values : (N,) array_like of float
        One value per case; NaN where a case has none.

    Raises
    ------
    InputError
        If the values are not a list of numbers or one is infinite.
    """
    column = _column(values)
    present = column[~np.isnan(column)]
    if not present.size:
        return Summary(0, column.size, *[_NAN] * 5)
    q1, median, q3 = np.percentile(present, [25, 50, 75]).tolist()
    return Summary(
        n=present.size,
        missing=column.size - present.size,
        mean=float(present.mean()),
        sd=float(present.std(ddof=1)) if present.size > 1 else _NAN,
        median=median,
        q1=q1,
        q3=q3,
    )


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[..., FloatArray] = np.mean,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Return a percentile bootstrap confidence interval.

    Parameters
    ----------
    values : (N,) array_like of float
        One value per case; NaN where a case has none. For the difference
        of two models pass the differences per case.
    statistic : callable, default: numpy.mean
        Function of an array and `axis`, for instance `numpy.median`.
    level : float, default: 0.95
        Confidence.
    resamples : int, default: 10000
        Number of resamples.
    seed : int, default: 0
        Seed of the resampling, so that a table can be made again.

    Raises
    ------
    InputError
        If there are no values, or a parameter makes no sense.
    """
    column = _column(values)
    present = column[~np.isnan(column)]
    if not present.size:
        raise InputError('There are no values to resample.')
    if not 0 < level < 1 or resamples < 1:
        raise InputError(
            'A confidence interval needs a level between 0 and 1 and at '
            'least one resample.'
        )
    rng = np.random.default_rng(seed)
    # In portions, so that many cases do not fill the memory.
    portion = max(1, 10_000_000 // present.size)
    results = []
    for start in range(0, resamples, portion):
        rows = min(portion, resamples - start)
        picks = rng.integers(present.size, size=(rows, present.size))
        results.append(statistic(present[picks], axis=1))
    ends = [50 * (1 - level), 50 * (1 + level)]
    low, high = np.percentile(np.concatenate(results), ends).tolist()
    return Interval(low, high, level)


def paired_t_test(first: ArrayLike, second: ArrayLike) -> PairedTest:
    """Test whether the mean difference between two models is zero.

    Parameters
    ----------
    first, second : (N,) array_like of float
        Values of the same cases in the same order; NaN where missing.

    Raises
    ------
    InputError
        If the lengths differ or fewer than two pairs are complete.
    """
    from scipy.stats import ttest_1samp  # slow to import

    differences, dropped = _differences(first, second)
    if np.ptp(differences) == 0:
        mean = float(differences[0])
        statistic = float(np.sign(mean) * np.inf) if mean else 0.0
        p = 0.0 if mean else 1.0
    else:
        result = ttest_1samp(differences, 0.0)
        statistic, p = float(result.statistic), float(result.pvalue)
    return _paired('paired t-test', statistic, p, differences, dropped)


def wilcoxon_test(first: ArrayLike, second: ArrayLike) -> PairedTest:
    """Test whether differences between two models are symmetric about zero.

    Wilcoxon's signed-rank test; pairs without a difference are left out of
    the ranks.

    Parameters
    ----------
    first, second : (N,) array_like of float
        Values of the same cases in the same order; NaN where missing.

    Raises
    ------
    InputError
        If the lengths differ or fewer than two pairs are complete.
    """
    from scipy.stats import wilcoxon  # slow to import

    differences, dropped = _differences(first, second)
    if not differences.any():
        statistic, p = 0.0, 1.0
    else:
        result = wilcoxon(differences, zero_method='wilcox')
        statistic, p = float(result.statistic), float(result.pvalue)
    name = 'Wilcoxon signed-rank test'
    return _paired(name, statistic, p, differences, dropped)


def holm(p_values: Sequence[float] | FloatArray) -> FloatArray:
    """Return p-values corrected for the number of comparisons.

    Parameters
    ----------
    p_values : (M,) sequence of float
        P-values of M comparisons.

    Returns
    -------
    (M,) numpy.ndarray of float64
        Corrected p-values in the same order; below the significance level
        means significant with that family-wise error rate.

    Raises
    ------
    InputError
        If a p-value is not between 0 and 1.

    References
    ----------
    .. [1] Holm, Scand. J. Stat. 6, 1979.
    """
    column = _column(p_values)
    if not ((column >= 0) & (column <= 1)).all():
        raise InputError('P-values must lie between 0 and 1.')
    order = np.argsort(column, kind='stable')
    factors = np.arange(column.size, 0, -1)
    stepped = np.maximum.accumulate(column[order] * factors)
    corrected = np.empty_like(column)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _differences(
    first: ArrayLike, second: ArrayLike
) -> tuple[FloatArray, int]:
    a, b = _column(first), _column(second)
    if a.shape != b.shape:
        raise InputError(
            f'{a.size} cases cannot be paired with {b.size}.',
            'Compare models on the same cases, in the same order.',
        )
    differences = a - b
    complete = differences[~np.isnan(differences)]
    if complete.size < 2:
        raise InputError('A paired test needs at least two complete pairs.')
    return complete, differences.size - complete.size


def _paired(
    name: str,
    statistic: float,
    p: float,
    differences: FloatArray,
    dropped: int,
) -> PairedTest:
    mean = float(differences.mean())
    return PairedTest(name, statistic, p, differences.size, dropped, mean)


def _column(values: ArrayLike) -> FloatArray:
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError('The values must be numbers.') from error
    if column.ndim != 1:
        raise InputError('The values must be a list, one per case.')
    if np.isinf(column).any():
        raise InputError(
            'A value is infinite.', 'Use NaN where a case has no value.'
        )
    return column
