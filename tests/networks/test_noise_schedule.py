"""Noise schedule: published values, and the definitions by Bayes' rule."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.networks.noise_schedule import linear_betas, schedule

KEPT = {
    0: 0.999999,
    1: 0.999993,
    100: 0.974954,
    199: 0.905043,
    200: 0.904136,
    500: 0.533911,
    1000: 0.0813746,
    1500: 0.00352932,
    1999: 4.386e-5,
}


@pytest.fixture(scope='module')
def tables():
    return schedule(linear_betas())


@pytest.mark.parametrize('step', KEPT)
def test_kept_signal_is_the_published(tables, step):
    kept = tables['alphas_cumprod'][step].item()
    # The published values have six significant digits, the last one four.
    assert kept == pytest.approx(KEPT[step], rel=1e-4 if step > 1500 else 1e-5)
    assert abs(kept - KEPT[step]) < 6e-7


def test_twelve_tables_in_float64(tables):
    assert len(tables) == 12
    assert all(t.shape == (2000,) for t in tables.values())
    assert all(t.dtype == torch.float64 for t in tables.values())
    assert all(t.isfinite().all() for t in tables.values())


def test_functions_of_the_kept_signal(tables):
    kept = tables['alphas_cumprod']
    assert tables['alphas_cumprod_prev'][0] == 1
    assert torch.equal(tables['alphas_cumprod_prev'][1:], kept[:-1])
    expected = {
        'sqrt_alphas_cumprod': kept**0.5,
        'sqrt_one_minus_alphas_cumprod': (1 - kept) ** 0.5,
        'log_one_minus_alphas_cumprod': torch.log(1 - kept),
        'sqrt_recip_alphas_cumprod': 1 / kept**0.5,
        'sqrt_recipm1_alphas_cumprod': ((1 - kept) / kept) ** 0.5,
    }
    for name, values in expected.items():
        torch.testing.assert_close(tables[name], values)


@pytest.mark.parametrize('step', [1, 37, 1000, 1999])
def test_posterior_is_the_product_of_two_gaussians(tables, step):
    beta, alpha = tables['betas'][step], 1 - tables['betas'][step]
    before = tables['alphas_cumprod_prev'][step]
    # Likelihood of x_t given x_{t-1}, times prior of x_{t-1} given x_0.
    precision = alpha / beta + 1 / (1 - before)
    variance = tables['posterior_variance'][step]
    torch.testing.assert_close(variance, 1 / precision)
    torch.testing.assert_close(
        tables['posterior_log_variance_clipped'][step], -precision.log()
    )
    torch.testing.assert_close(
        tables['posterior_mean_coef1'][step],
        before.sqrt() / (1 - before) / precision,
    )
    torch.testing.assert_close(
        tables['posterior_mean_coef2'][step],
        alpha.sqrt() / beta / precision,
    )


def test_first_step_has_no_posterior_variance(tables):
    assert tables['posterior_variance'][0] == 0
    logarithm = tables['posterior_log_variance_clipped'][0].exp().item()
    assert logarithm == pytest.approx(1e-20)
