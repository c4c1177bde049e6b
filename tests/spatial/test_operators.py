"""Warping, integrating and resizing, against the published numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from napari_adacs.spatial import operators
from tests.networks.golden_inputs import image_pair, summary


def golden_flow() -> torch.Tensor:
    i, j = np.meshgrid(np.arange(16), np.arange(16), indexing='ij')
    flow = np.stack([1.5 * np.sin(0.2 * j), -0.8 * np.cos(0.3 * i)])
    return torch.from_numpy(flow.astype(np.float32))[None]


GOLDEN = {
    'warp': '0.640797 0.323896 0.000000 0.999720 0.200000 0.979155 '
    '0.861617 0.514877 0.350870',
    'integrate': '0.534392 0.616482 -0.794340 1.497967 0.000000 1.463959 '
    '1.302518 -0.551798 0.141199',
    'down': '0.243065 0.332462 -0.400000 0.738655 0.000000 0.564613 '
    '0.564613 -0.400000 0.084318',
    'up': '0.525533 0.639771 -0.800000 1.465332 0.000000 1.433037 '
    '1.329733 -0.800000 0.168637',
}


@pytest.mark.parametrize('what', GOLDEN)
def test_published_numbers(what):
    flow = golden_flow()
    _, target = image_pair((16, 16))
    down = operators.resize_displacement(flow, 0.5)
    values = {
        'warp': operators.warp(target, flow),
        'integrate': operators.integrate(flow, 7),
        'down': down,
        'up': operators.resize_displacement(down, 2.0),
    }[what]
    expected = [float(v) for v in GOLDEN[what].split()]
    assert summary(values) == pytest.approx(expected, abs=2e-6)


def test_pull_back_moves_a_pixel_against_the_displacement():
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 5, 3] = 1
    field = torch.zeros(1, 2, 8, 8)
    field[0, 0] = 2
    assert operators.warp(image, field)[0, 0].nonzero().tolist() == [[3, 3]]


def test_far_outside_is_exactly_zero():
    field = torch.full((1, 3, 4, 5, 6), 100.0)
    assert operators.warp(torch.ones(1, 1, 4, 5, 6), field).abs().max() == 0


@pytest.mark.parametrize('shape', [(9, 7), (6, 7, 5)])
def test_warp_agrees_with_scipy(shape):
    rng = np.random.default_rng(0)
    image = rng.random(shape).astype(np.float32)
    field = rng.uniform(-0.9, 0.9, (len(shape), *shape)).astype(np.float32)
    coordinates = np.indices(shape) + field
    expected = map_coordinates(image, coordinates, order=1, mode='nearest')
    warped = operators.warp(
        torch.from_numpy(image)[None, None],
        torch.from_numpy(field)[None],
        padding='border',
    )
    np.testing.assert_allclose(warped[0, 0].numpy(), expected, atol=1e-5)


def test_an_axis_of_one_voxel_survives():
    image = torch.rand(1, 1, 1, 6, 7)
    field = torch.zeros(1, 3, 1, 6, 7)
    torch.testing.assert_close(operators.warp(image, field), image)


def test_integrating_a_constant_velocity_is_a_translation():
    velocity = torch.zeros(1, 2, 32, 32)
    velocity[:, 1] = 1.5
    moved = operators.integrate(velocity, 7)
    torch.testing.assert_close(
        moved[..., 8:-8], velocity[..., 8:-8], atol=1e-5, rtol=0
    )


def test_composition_of_translations_adds():
    first = torch.full((1, 2, 8, 8), 0.5)
    second = torch.full((1, 2, 8, 8), -0.25)
    both = operators.compose(first, second)
    torch.testing.assert_close(both, torch.full((1, 2, 8, 8), 0.25))


def test_warp_is_differentiable_in_image_and_field():
    image = torch.rand(1, 1, 5, 6, dtype=torch.float64, requires_grad=True)
    field = torch.rand(1, 2, 5, 6, dtype=torch.float64) * 0.4 + 0.1
    field.requires_grad_(True)
    assert torch.autograd.gradcheck(operators.warp, (image, field))


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize('factor', [1, 2, 3])
def test_growing_undoes_averaging_over_blocks(ndim, factor):
    """A linear field of block averages is the same field, but at the edge."""
    shape = (6, 8, 10)[:ndim]
    fine = operators.identity_coordinates([factor * n for n in shape])
    pool = torch.nn.functional.avg_pool2d
    if ndim == 3:
        pool = torch.nn.functional.avg_pool3d
    field = 0.25 * fine.flip(1) - 1
    grown = operators.grow_displacement(pool(field, factor) / factor, factor)
    assert grown.shape == field.shape
    inside = (..., *[slice(factor, -factor)] * ndim)
    torch.testing.assert_close(grown[inside], field[inside])
