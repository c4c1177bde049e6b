"""Local correlation against dense convolutions, and at its edges."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from napari_adacs.objectives.similarity import local_correlation
from napari_adacs.weighting.base import Direction
from napari_adacs.weighting.vanilla import Vanilla
from tests.networks.golden_inputs import image_pair

SHAPES = [(16, 16), (13, 7), (9, 10, 11), (3, 4, 20)]


def dense_correlation(fixed, warped, window, eps=1e-5):
    """Five dense convolutions, as VoxelMorph writes it."""
    ndim = fixed.ndim - 2
    convolve = F.conv2d if ndim == 2 else F.conv3d
    kernel = torch.ones(1, 1, *([window] * ndim), dtype=fixed.dtype)

    def total(values):
        return convolve(values, kernel, padding=window // 2)

    size = window**ndim
    sum_f, sum_w = total(fixed), total(warped)
    mean_f, mean_w = sum_f / size, sum_w / size
    cross = (
        total(fixed * warped)
        - mean_w * sum_f
        - mean_f * sum_w
        + mean_f * mean_w * size
    )
    var_f = total(fixed**2) - 2 * mean_f * sum_f + mean_f**2 * size
    var_w = total(warped**2) - 2 * mean_w * sum_w + mean_w**2 * size
    return cross * cross / (var_f * var_w + eps)


@pytest.mark.parametrize('window', [1, 3, 5, 9, 11])
@pytest.mark.parametrize('shape', SHAPES)
def test_equals_dense_convolutions(shape, window):
    a, b = (image.double() for image in image_pair(shape))
    # Batches of more than one must not mix.
    fixed, warped = torch.cat([a, b]), torch.cat([b, a * a])
    torch.testing.assert_close(
        local_correlation(fixed, warped, window),
        dense_correlation(fixed, warped, window),
        atol=1e-9,
        rtol=1e-9,
    )


@pytest.mark.parametrize('shape', SHAPES)
def test_gradient_equals_dense_convolutions(shape):
    fixed, warped = (image.double() for image in image_pair(shape))
    gradients = []
    for function in (local_correlation, dense_correlation):
        leaf = warped.clone().requires_grad_(True)
        function(fixed, leaf, 9).mean().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients, atol=1e-10, rtol=1e-7)


def test_single_precision_stays_close():
    generator = torch.Generator().manual_seed(0)
    fixed, warped = torch.rand(2, 1, 1, 24, 24, 24, generator=generator)
    exact = local_correlation(fixed.double(), warped.double())
    found = local_correlation(fixed, warped).double()
    torch.testing.assert_close(found, exact, atol=1e-5, rtol=0)


def test_a_change_of_gain_keeps_the_correlation():
    fixed, _ = image_pair((16, 16))
    fixed = fixed.double()
    for other in (0.3 * fixed + 0.5, 0.9 - 0.5 * fixed):
        found = local_correlation(fixed, other, 3, eps=1e-12)
        inner = found[..., 1:-1, 1:-1]
        torch.testing.assert_close(
            inner, torch.ones_like(inner), atol=1e-6, rtol=0
        )
    mse = Vanilla().data_term(Direction(fixed, 0.9 - 0.5 * fixed), None)
    assert mse > 0.05


@pytest.mark.parametrize('value', [0.0, 0.1, 0.3, 0.7, 1.0])
def test_constant_images_correlate_with_nothing(value):
    flat = torch.full((1, 1, 20, 20), value, requires_grad=True)
    textured = image_pair((20, 20))[0]
    for fixed in (torch.full_like(textured, value), textured):
        found = local_correlation(fixed, flat)[..., 4:-4, 4:-4]
        assert found.max() < 1e-3
        (gradient,) = torch.autograd.grad(found.mean(), flat)
        assert torch.isfinite(gradient).all()


def test_the_squared_correlation_is_within_bounds():
    fixed, warped = image_pair((9, 10, 11))
    found = local_correlation(fixed, warped)
    assert found.min() >= 0
    assert found.max() <= 1


def test_rounding_makes_no_variance_negative():
    """Denominators near zero would let the correlation explode."""
    generator = torch.Generator().manual_seed(0)
    values = torch.linspace(0, 1, 101).view(-1, 1, 1, 1, 1)
    constant = values.expand(-1, 1, 12, 12, 12)
    noise = torch.rand(1, 1, 12, 12, 12, generator=generator)
    found = local_correlation(constant, noise.expand_as(constant))
    inner = found[..., 4:-4, 4:-4, 4:-4]
    assert inner.min() >= 0
    assert inner.max() < 0.01


@pytest.mark.parametrize('window', [0, 2, 8, -3])
def test_an_even_window_is_refused(window):
    fixed, warped = image_pair((8, 8))
    with pytest.raises(ValueError, match='must be odd'):
        local_correlation(fixed, warped, window)
