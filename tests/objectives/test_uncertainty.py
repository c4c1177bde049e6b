"""Priors on variances, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_adacs.objectives.uncertainty import (
    degree,
    variance_penalty,
    velocity_divergence,
)


def neighbours(shape):
    """Return the adjacency matrix of a grid."""
    count = int(np.prod(shape))
    places = np.stack(np.unravel_index(np.arange(count), shape), 1)
    away = np.abs(places[:, None] - places[None]).sum(-1)
    return (away == 1).astype(float)


@pytest.mark.parametrize('shape', [(3, 4), (3, 2, 4), (1, 5)])
def test_degree_counts_neighbours(shape):
    expected = neighbours(shape).sum(0).reshape(shape)
    found = degree(torch.zeros(1, 2, *shape))[0, 0]
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize('shape', [(3, 4), (3, 2, 4)])
def test_divergence_is_that_of_the_normal_distributions(shape):
    """With the matrices written out, voxel by voxel."""
    torch.manual_seed(0)
    ndim, prior = len(shape), 7.0
    mean, log_variance = torch.randn(2, 1, ndim, *shape, dtype=torch.float64)
    adjacency = neighbours(shape)
    precision = prior * (np.diag(adjacency.sum(0)) - adjacency)
    expected = 0.0
    for mu, s in zip(mean[0], log_variance[0], strict=True):
        m, variance = mu.numpy().ravel(), np.exp(s.numpy().ravel())
        expected += np.trace(precision @ np.diag(variance))
        expected += m @ precision @ m - np.log(variance).sum()
    expected /= 2 * np.prod(shape)
    found = velocity_divergence(mean, log_variance, prior)
    assert found.item() == pytest.approx(expected, rel=1e-10)


def test_divergence_is_a_mean_over_samples():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(2, 2, 2, 4, 5)
    parts = [
        velocity_divergence(m[None], s[None], 3.0)
        for m, s in zip(mean, log_variance, strict=True)
    ]
    torch.testing.assert_close(
        velocity_divergence(mean, log_variance, 3.0), sum(parts) / 2
    )


def test_divergence_is_least_at_the_precision_of_the_prior():
    """A voxel with d neighbours wants the variance 1 / (lambda d)."""
    log_variance = torch.zeros(1, 2, 6, 6, requires_grad=True)
    optimiser = torch.optim.Adam([log_variance], lr=0.1)
    mean = torch.zeros(1, 2, 6, 6)
    for _ in range(300):
        optimiser.zero_grad()
        velocity_divergence(mean, log_variance, 10.0).backward()
        optimiser.step()
    expected = 1 / (10.0 * degree(mean))
    found = log_variance.detach().exp()
    torch.testing.assert_close(
        found, expected.expand_as(found), rtol=1e-2, atol=1e-4
    )


def test_a_constant_velocity_costs_nothing_more_than_none():
    log_variance = torch.zeros(1, 2, 4, 4)
    still = velocity_divergence(torch.zeros(1, 2, 4, 4), log_variance, 5.0)
    shifted = velocity_divergence(
        torch.full((1, 2, 4, 4), 3.0), log_variance, 5.0
    )
    torch.testing.assert_close(still, shifted)


def test_variance_penalty_is_least_at_one_voxel():
    values = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1)
    penalties = [variance_penalty(v).item() for v in values]
    assert penalties[1] == pytest.approx(1.0)
    assert penalties[0] == pytest.approx(np.exp(-1) + 1)
    assert penalties[1] == min(penalties)
