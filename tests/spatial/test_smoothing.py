"""Gaussian smoothing and resizing by matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_adacs.spatial.smoothing import (
    enlarge,
    gaussian_matrix,
    linear_matrix,
    resize_vectors,
    smooth,
)


@pytest.mark.parametrize('shape', [(20, 31), (12, 9, 17)])
def test_it_is_the_gaussian_of_scipy_away_from_the_edge(shape):
    values = torch.from_numpy(np.random.default_rng(0).random((2, *shape)))
    found = smooth(values, 1.2).numpy()
    expected = np.stack([gaussian_filter(v, 1.2) for v in values.numpy()])
    inside = (slice(None), *[slice(4, -4)] * len(shape))
    np.testing.assert_allclose(found[inside], expected[inside], atol=2e-3)


@pytest.mark.parametrize('sigma', [0.0, 0.6, 3.0])
@pytest.mark.parametrize('new', [5, 8, 16, 17])
def test_constants_stay(sigma, new):
    matrix = gaussian_matrix(16, new, sigma)
    np.testing.assert_allclose(matrix.sum(1), 1, rtol=1e-6)
    assert (matrix >= 0).all()


def test_without_a_sigma_new_voxels_average_what_they_cover():
    values = torch.arange(8.0)[None]
    np.testing.assert_allclose(
        smooth(values, 0.0, (4,))[0], [0.5, 2.5, 4.5, 6.5]
    )


def test_enlarging_keeps_a_ramp_and_its_place():
    coarse = torch.arange(8.0)[None] * 2 + 0.5
    fine = enlarge(coarse, (16,))[0]
    np.testing.assert_allclose(fine[1:-1], np.arange(1.0, 15.0), atol=1e-5)
    assert linear_matrix(1, 4).sum() == 4


def test_axes_have_their_own_sigma():
    values = torch.zeros(1, 9, 9)
    values[0, 4, 4] = 1
    found = smooth(values, (1.0, 0.0))[0]
    assert found[3, 4] > 0.1
    assert found[4, 3] == 0


def test_vectors_scale_with_the_size():
    factors = resize_vectors(torch.ones(2, 4, 8), (8, 8))[:, 3, 3]
    assert factors.tolist() == [2, 1]


def test_vectors_are_averaged_where_an_axis_loses_voxels():
    fine = torch.tensor([0.0, 2, 4, 6]).expand(2, 4, 4)
    found = resize_vectors(fine, (8, 2))
    assert found.shape == (2, 8, 2)
    np.testing.assert_allclose(found[0], [[2.0, 10]] * 8)
    np.testing.assert_allclose(found[1], [[0.5, 2.5]] * 8)


def test_a_matrix_made_in_inference_mode_serves_training():
    linear_matrix.cache_clear()
    with torch.inference_mode():
        enlarge(torch.zeros(1, 3, 3), (6, 6))
    values = torch.zeros(1, 3, 3, requires_grad=True)
    enlarge(values, (6, 6)).sum().backward()
    assert values.grad is not None
