"""Calibration of variances and correlation of maps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from napari_adacs.errors import InputError
from napari_adacs.evaluation.calibration import (
    calibration,
    endpoint_error,
    map_correlation,
)

N = 200_000


@pytest.fixture
def drawn():
    """Variances and residuals drawn from them."""
    rng = np.random.default_rng(0)
    variance = rng.uniform(0.01, 1, N)
    return variance, np.sqrt(variance) * rng.standard_normal(N)


@pytest.mark.parametrize('binning', ['quantile', 'width'])
def test_a_true_variance_is_calibrated(drawn, binning):
    found = calibration(*drawn, binning=binning)
    assert len(found.predicted) == 20
    assert found.counts.sum() == N
    assert found.observed == pytest.approx(found.predicted, rel=0.05)
    assert found.ece < 0.01
    assert found.ence < 0.02
    assert found.slope == pytest.approx(1, abs=0.02)
    assert found.intercept == pytest.approx(0, abs=0.02)
    assert found.scale == pytest.approx(1, abs=0.02)
    assert found.coverage == pytest.approx(0.6827, abs=0.01)


def test_a_variance_four_times_too_small(drawn):
    variance, residual = drawn
    found = calibration(variance / 4, residual)
    assert found.slope == pytest.approx(2, abs=0.04)
    assert found.scale == pytest.approx(4, abs=0.08)
    assert found.ence == pytest.approx(1, abs=0.03)
    assert found.coverage == pytest.approx(
        stats.norm.cdf(0.5) - stats.norm.cdf(-0.5), abs=0.01
    )


def test_by_hand():
    variance = np.array([1.0, 1, 4, 4])
    residual = np.array([1.0, -1, 4, 4])
    found = calibration(variance, residual, bins=2)
    assert found.predicted == pytest.approx([1, 2])
    assert found.observed == pytest.approx([1, 4])
    assert found.counts.tolist() == [2, 2]
    assert found.ece == pytest.approx(1)
    assert found.ence == pytest.approx(0.5)
    assert (found.slope, found.intercept) == pytest.approx((3, -2))
    assert found.scale == pytest.approx(34 / 10)
    assert found.coverage == 0.5


def test_the_mask_is_obeyed(drawn):
    variance, residual = drawn
    spoiled = residual.copy()
    spoiled[::2] = 100
    mask = np.arange(N) % 2 == 1
    found = calibration(variance, spoiled, mask=mask)
    assert found.counts.sum() == N // 2
    assert found.scale == pytest.approx(1, abs=0.03)


def test_constant_and_zero_variances():
    found = calibration(np.ones(10), np.ones(10))
    assert len(found.counts) == 1
    assert np.isnan(found.slope)
    assert found.ece == 0
    found = calibration(np.zeros(10), np.ones(10))
    assert np.isnan(found.ence)
    assert np.isnan(found.scale)
    assert found.ece == 1


def test_correlation_agrees_with_scipy():
    rng = np.random.default_rng(1)
    error = rng.integers(0, 9, 500).astype(float)
    uncertainty = error + rng.normal(0, 2, 500).round()
    found = map_correlation(uncertainty, error)
    assert found.voxels == 500
    assert found.spearman == pytest.approx(
        stats.spearmanr(uncertainty, error).statistic
    )
    assert found.pearson == pytest.approx(
        stats.pearsonr(uncertainty, error).statistic
    )


def test_correlation_of_order_and_of_nothing():
    error = np.linspace(0, 3, 50)
    assert map_correlation(np.exp(error), error).spearman == pytest.approx(1)
    assert map_correlation(-error, error).pearson == pytest.approx(-1)
    assert np.isnan(map_correlation(np.ones(50), error).spearman)


def test_endpoint_error_by_hand():
    true = np.zeros((2, 3, 4))
    found = true.copy()
    found[0], found[1] = 3, 2
    assert endpoint_error(found, true, (1, 2)) == pytest.approx(
        np.full((3, 4), 5)
    )
    assert endpoint_error(found, found).max() == 0


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (([-1.0], [1.0]), 'negative'),
        (([1.0], [np.nan]), 'NaN'),
        (([1.0, 2], [1.0]), 'shapes'),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        calibration(*arguments)


def test_refused_options():
    with pytest.raises(InputError, match='bin'):
        calibration([1.0], [1.0], bins=0)
    with pytest.raises(InputError, match='bin'):
        calibration([1.0], [1.0], binning='log')
    with pytest.raises(InputError, match='cannot be compared'):
        endpoint_error(np.zeros((2, 3, 4)), np.zeros((2, 3, 5)))
