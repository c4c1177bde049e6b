"""Sparsification against the authors' numbers and against counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import map_coordinates
from scipy.stats import mannwhitneyu

from napari_adacs.errors import InputError
from napari_adacs.evaluation.sparsification import roc_auc, sparsification


def golden_inputs():
    """Target, warped source and uncertainty of the reference run (16²)."""
    i, j = np.indices((16, 16)).astype(float)
    a = (0.5 + 0.5 * np.sin(0.3 * i + 0.7 * j)).astype(np.float32)
    b = (0.5 + 0.5 * np.cos(0.2 * i - 0.1 * j)).astype(np.float32)
    flow = np.stack([1.5 * np.sin(0.2 * j), -0.8 * np.cos(0.3 * i)])
    # Zero padding with partial weights beyond the border.
    warped = map_coordinates(
        b, [i + flow[0], j + flow[1]], order=1, mode='grid-constant'
    )
    return a, warped, 0.6 * np.cos(0.35 * i - 0.2 * j)


class TestAuthorsPreset:
    """Numbers printed by the authors' own code for these inputs."""

    @pytest.fixture
    def result(self):
        truth, predicted, uncertainty = golden_inputs()
        error = (predicted - truth) ** 2
        return sparsification(error, uncertainty, preset='code')

    def test_areas(self, result):
        assert result.ause == pytest.approx(0.1363448873898353, abs=1e-6)
        assert result.aurg == pytest.approx(0.05338328283657662, abs=1e-6)

    def test_curves(self, result):
        at = [0, 10, 25, 49, 50]
        curve = [
            0.25648945786684385,
            0.23745008124594114,
            0.19803000727865755,
            0.14326566977966207,
            0.0,
        ]
        oracle = [
            0.25648945786684385,
            0.13653300563420465,
            0.03697808127974739,
            2.9028630691194427e-05,
            0.0,
        ]
        assert result.curve[at] == pytest.approx(curve, abs=1e-6)
        assert result.oracle[at] == pytest.approx(oracle, abs=1e-6)
        assert result.curve.size == result.fractions.size == 51


def curve_by_force(error, order):
    """Mean of what is left after removing voxels in this order."""
    left = list(error[order])
    curve = []
    while left:
        curve.append(np.mean(left))
        left.pop(0)
    return [*curve, 0.0]


maps = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        arrays(float, n, elements=st.floats(0, 10), unique=True),
        arrays(float, n, elements=st.floats(-5, 5), unique=True),
    )
)


class TestExactCurve:
    @given(maps)
    def test_removes_voxel_by_voxel(self, pair):
        error, uncertainty = pair
        result = sparsification(error, uncertainty)
        expected = curve_by_force(error, np.argsort(-uncertainty))
        assert result.curve == pytest.approx(expected, abs=1e-9)
        oracle = curve_by_force(error, np.argsort(-error))
        assert result.oracle == pytest.approx(oracle, abs=1e-9)
        area = np.trapezoid(expected, np.linspace(0, 1, error.size + 1))
        assert result.aurg == pytest.approx(error.mean() - area, abs=1e-9)

    @given(maps)
    def test_bounds(self, pair):
        result = sparsification(*pair)
        assert result.ause >= -1e-9
        assert (result.oracle <= result.curve + 1e-9).all()
        assert result.curve[0] == pytest.approx(result.random)
        assert result.oracle[0] == pytest.approx(result.random)

    @given(maps)
    def test_only_the_order_of_the_uncertainty_matters(self, pair):
        error, uncertainty = pair
        ranks = np.argsort(np.argsort(uncertainty))
        expected = sparsification(error, ranks)
        assert sparsification(error, uncertainty).ause == expected.ause

    def test_knowing_the_error_is_perfect(self):
        error = np.random.default_rng(0).gamma(2, size=(9, 10, 11))
        result = sparsification(error, np.sqrt(error))
        assert result.ause == 0
        assert result.aurg > 0

    def test_knowing_nothing_gains_nothing(self):
        error = np.random.default_rng(0).gamma(2, size=400)
        result = sparsification(error, np.zeros(400))
        assert result.curve[:-1] == pytest.approx(result.random)
        # Only the closing zero is gained: half an interval.
        assert result.aurg == pytest.approx(result.random / 800)

    def test_order_of_ties_does_not_matter(self):
        rng = np.random.default_rng(3)
        error, uncertainty = rng.random(200), rng.integers(0, 4, 200)
        mixed = rng.permutation(200)
        first = sparsification(error, uncertainty)
        second = sparsification(error[mixed], uncertainty[mixed])
        assert first.curve == pytest.approx(second.curve)

    def test_ties_are_the_mean_over_their_orders(self):
        error, uncertainty = np.array([4.0, 2.0, 6.0]), [1, 5, 5]
        result = sparsification(error, uncertainty)
        assert result.curve == pytest.approx([4, 4, 4, 0])

    def test_the_authors_intervals_approach_it(self):
        rng = np.random.default_rng(1)
        error = rng.gamma(2, size=50_000)
        uncertainty = error + rng.normal(size=50_000)
        exact = sparsification(error, uncertainty)
        binned = sparsification(error, uncertainty, preset='code')
        assert binned.ause == pytest.approx(exact.ause, rel=0.03)
        assert binned.aurg == pytest.approx(exact.aurg, rel=0.05)

    def test_mask(self):
        rng = np.random.default_rng(1)
        error, uncertainty = rng.random((2, 8, 9))
        mask = rng.random((8, 9)) < 0.5
        masked = sparsification(error, uncertainty, mask=mask)
        alone = sparsification(error[mask], uncertainty[mask])
        assert masked.ause == alone.ause
        error[~mask] = np.nan
        again = sparsification(error, uncertainty, mask=mask)
        assert again.ause == alone.ause

    def test_thinned_for_plots(self):
        error = np.random.default_rng(0).random(5000)
        full = sparsification(error, error)
        thin = full.thinned(11)
        assert thin.fractions == pytest.approx(np.linspace(0, 1, 11))
        assert thin.curve == pytest.approx(full.curve[::500], rel=1e-9)
        assert (thin.ause, thin.aurg) == (full.ause, full.aurg)


class TestAuc:
    @given(
        st.integers(2, 40).flatmap(
            lambda n: st.tuples(
                arrays(bool, n), arrays(np.int8, n, elements=st.integers(0, 5))
            )
        )
    )
    def test_counts_won_pairs(self, pair):
        positive, score = pair
        if positive.all() or not positive.any():
            return
        high, low = score[positive], score[~positive]
        wins = np.mean((high[:, None] > low) + 0.5 * (high[:, None] == low))
        assert roc_auc(positive, score) == pytest.approx(wins)

    def test_agrees_with_scipy(self):
        rng = np.random.default_rng(0)
        positive = rng.random((30, 40)) < 0.3
        score = positive + rng.normal(size=(30, 40))
        u = mannwhitneyu(score[positive], score[~positive]).statistic
        pairs = positive.sum() * (~positive).sum()
        assert roc_auc(positive, score) == pytest.approx(u / pairs)

    def test_mask(self):
        positive, score = np.array([1, 1, 0, 0]), np.array([3, 0, 1, 5])
        mask = [True, False, True, False]
        assert roc_auc(positive, score, mask) == 1

    @pytest.mark.parametrize('positive', [[0, 0, 0], [1, 1, 1]])
    def test_needs_both_kinds(self, positive):
        with pytest.raises(InputError, match='inside and outside'):
            roc_auc(positive, [1, 2, 3])

    def test_truth_is_binary(self):
        with pytest.raises(InputError, match='binary'):
            roc_auc([0, 1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ('error', 'uncertainty', 'mask', 'why'),
    [
        ([1, 2], [1, 2, 3], None, 'shapes'),
        ([1, 2], [1, 2], [True], 'mask'),
        ([1, 2], [1, 2], [False, False], 'no voxel'),
        ([1, np.nan], [1, 2], None, 'NaN'),
        ([1, 2], [1, np.inf], None, 'NaN or infinite'),
        ([1, -2], [1, 2], None, 'negative'),
        (['a', 'b'], [1, 2], None, 'numbers'),
    ],
)
def test_refused(error, uncertainty, mask, why):
    with pytest.raises(InputError, match=why):
        sparsification(error, uncertainty, mask=mask)


def test_unknown_preset():
    with pytest.raises(InputError, match='preset'):
        sparsification([1.0], [1.0], preset='fast')
