"""Statistics over cases, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from napari_adacs.errors import InputError
from napari_adacs.evaluation.statistics import (
    bootstrap_interval,
    holm,
    paired_t_test,
    summarise,
    wilcoxon_test,
)

NAN = float('nan')


@pytest.fixture
def models():
    rng = np.random.default_rng(0)
    first = rng.normal(0.80, 0.05, 40)
    return first, first - 0.01 + rng.normal(0, 0.02, 40)


class TestSummary:
    def test_by_hand(self):
        result = summarise([4, 1, 3, 2, 10])
        assert result.mean == 4
        assert result.sd == pytest.approx(np.sqrt(50 / 4))
        assert (result.q1, result.median, result.q3) == (2, 3, 4)
        assert (result.n, result.missing) == (5, 0)

    def test_missing_cases_are_counted(self):
        result = summarise([1, NAN, 3, NAN])
        assert (result.n, result.missing, result.mean) == (2, 2, 2)
        assert str(result) == '2 ± 1.4 (2 missing)'

    def test_too_few(self):
        assert np.isnan(summarise([]).mean)
        assert np.isnan(summarise([NAN]).median)
        assert np.isnan(summarise([5]).sd)
        assert summarise([5]).mean == 5


class TestBootstrap:
    def test_mean_of_many_is_normal(self):
        values = np.random.default_rng(1).exponential(size=4000)
        found = bootstrap_interval(values, resamples=2000)
        half = 1.96 * values.std(ddof=1) / np.sqrt(values.size)
        assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
        assert found.high == pytest.approx(
            values.mean() + half, abs=0.1 * half
        )

    def test_seeded(self, models):
        first = bootstrap_interval(models[0], seed=3)
        assert first == bootstrap_interval(models[0], seed=3)
        assert first != bootstrap_interval(models[0], seed=4)

    def test_of_another_statistic(self, models):
        found = bootstrap_interval(models[0], np.median)
        assert found.low < np.median(models[0]) < found.high
        assert found != bootstrap_interval(models[0])

    def test_level(self, models):
        wide = bootstrap_interval(models[0], level=0.99)
        narrow = bootstrap_interval(models[0], level=0.5)
        assert wide.low < narrow.low < models[0].mean()
        assert models[0].mean() < narrow.high < wide.high

    def test_missing_cases_are_left_out(self, models):
        padded = np.append(models[0], [NAN, NAN])
        assert bootstrap_interval(padded) == bootstrap_interval(models[0])

    def test_refused(self):
        with pytest.raises(InputError, match='no values'):
            bootstrap_interval([NAN])
        with pytest.raises(InputError, match='level'):
            bootstrap_interval([1, 2], level=95)


class TestPaired:
    def test_t(self, models):
        expected = stats.ttest_rel(*models)
        found = paired_t_test(*models)
        assert found.p == pytest.approx(expected.pvalue)
        assert found.statistic == pytest.approx(expected.statistic)
        assert found.mean_difference == pytest.approx(
            np.mean(models[0] - models[1])
        )

    def test_wilcoxon(self, models):
        expected = stats.wilcoxon(*models)
        found = wilcoxon_test(*models)
        assert found.p == pytest.approx(expected.pvalue)
        assert found.statistic == expected.statistic

    @pytest.mark.parametrize('test', [paired_t_test, wilcoxon_test])
    def test_incomplete_pairs_are_counted(self, test, models):
        holed = [model.copy() for model in models]
        holed[0][3] = holed[1][7] = NAN
        found = test(*holed)
        assert (found.n, found.dropped) == (38, 2)
        kept = [np.delete(model, [3, 7]) for model in models]
        assert found.p == pytest.approx(test(*kept).p)

    @pytest.mark.parametrize('test', [paired_t_test, wilcoxon_test])
    def test_no_difference(self, test, models):
        assert test(models[0], models[0]).p == 1

    def test_constant_difference(self):
        found = paired_t_test([3.0, 4.0, 5.0], [2.0, 3.0, 4.0])
        assert (found.p, found.statistic) == (0, np.inf)

    @pytest.mark.parametrize('test', [paired_t_test, wilcoxon_test])
    def test_refused(self, test):
        with pytest.raises(InputError, match='paired'):
            test([1, 2, 3], [1, 2])
        with pytest.raises(InputError, match='two complete pairs'):
            test([1, NAN], [1, 2])
        with pytest.raises(InputError, match='infinite'):
            test([1, np.inf], [1, 2])
        with pytest.raises(InputError, match='numbers'):
            test(['a'], ['b'])
        with pytest.raises(InputError, match='one per case'):
            test([[1, 2]], [[1, 2]])


class TestHolm:
    def test_by_hand(self):
        found = holm([0.01, 0.04, 0.03, 0.005])
        assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_never_above_one_nor_below_the_raw_value(self):
        raw = np.random.default_rng(0).random(30)
        found = holm(raw)
        assert ((found >= raw) & (found <= 1)).all()
        assert (np.diff(found[np.argsort(raw)]) >= 0).all()

    def test_one_comparison_stays(self):
        assert holm([0.2]) == pytest.approx([0.2])
        assert holm([]).size == 0

    @pytest.mark.parametrize('bad', [[1.2], [-0.1], [NAN]])
    def test_refused(self, bad):
        with pytest.raises(InputError, match='between 0 and 1'):
            holm(bad)
