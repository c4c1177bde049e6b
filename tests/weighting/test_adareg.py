"""AdaReg against the published numbers and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_adacs.objectives.smoothness import gradient_penalty
from napari_adacs.weighting.adareg import AdaReg
from napari_adacs.weighting.base import Direction
from napari_adacs.weighting.vanilla import Vanilla
from tests.networks.golden_inputs import summary
from tests.spatial.test_operators import golden_flow
from tests.weighting.test_schemes import golden_inputs

GOLDEN_MASK = (
    '0.413995 0.451319 0.000000 1.000000 0.007068 0.000045 1.000000 '
    '0.004847 0.000398'
)


def test_weight_of_the_published_code():
    direction, _, _ = golden_inputs()
    weight = AdaReg(preset='code').smoothness_weight(direction)
    assert summary(weight) == pytest.approx(
        [float(v) for v in GOLDEN_MASK.split()], abs=2e-6
    )


def test_smoothness_of_the_published_code():
    direction, _, _ = golden_inputs()
    penalty = AdaReg(preset='code').smoothness(
        golden_flow(), [direction], 'mean'
    )
    assert penalty.item() == pytest.approx(0.15485399961471558)


def test_weight_of_the_paper_is_a_quotient():
    direction, _, _ = golden_inputs()
    direction = Direction(direction.fixed, direction.warped)
    rho = np.abs((direction.fixed - direction.warped).double().numpy())
    expected = np.exp(-2 * rho / rho.mean())
    found = AdaReg(c=2.0).smoothness_weight(direction)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_the_paper_weights_the_gradient_and_the_code_the_field():
    direction, _, _ = golden_inputs()
    flow = golden_flow()
    for preset in ('paper', 'code'):
        scheme = AdaReg(preset=preset, c=2.0)
        weight = scheme.smoothness_weight(direction)
        by_hand = 0.0
        for axis in (2, 3):
            if preset == 'paper':
                start = weight.narrow(axis, 0, 15)
                change = start * torch.diff(flow, dim=axis)
            else:
                change = torch.diff(weight * flow, dim=axis)
            by_hand += 2 * change.square().mean().item()
        found = scheme.smoothness(flow, [direction], 'sum')
        assert found.item() == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize(('preset', 'flows'), [('paper', 0), ('code', 1)])
def test_only_the_code_lets_the_gradient_through_the_weight(preset, flows):
    direction, _, _ = golden_inputs()
    warped = direction.warped.clone().requires_grad_(True)
    live = Direction(direction.fixed, warped, direction.mask)
    flow = golden_flow().requires_grad_(True)
    penalty = AdaReg(preset=preset).smoothness(flow, [live], 'sum')
    penalty.backward()
    assert flow.grad.abs().max() > 0
    assert (warped.grad is not None) == bool(flows)


def test_the_data_term_is_the_plain_error():
    direction, _, _ = golden_inputs()
    for preset in ('paper', 'code'):
        assert AdaReg(preset=preset).data_term(direction, None).item() == (
            Vanilla(preset=preset).data_term(direction, None).item()
        )


def test_the_forward_direction_decides():
    direction, _, _ = golden_inputs()
    other = Direction(direction.warped * 0.3, direction.fixed)
    scheme, flow = AdaReg(preset='code'), golden_flow()
    both = scheme.smoothness(flow, [direction, other], 'sum')
    assert both == scheme.smoothness(flow, [direction], 'sum')
    assert both != scheme.smoothness(flow, [other], 'sum')


@pytest.mark.parametrize('preset', ['paper', 'code'])
def test_a_coarser_velocity_gets_a_coarser_weight(preset):
    """A weight that is the same everywhere must scale the penalty alone."""
    fixed = torch.full((1, 1, 8, 8, 8), 0.5)
    direction = Direction(fixed, torch.zeros_like(fixed))
    velocity = torch.randn(
        (1, 3, 4, 4, 4), generator=torch.Generator().manual_seed(0)
    )
    exponent = {'paper': -1.0, 'code': -0.25}[preset]
    found = AdaReg(preset=preset, c=1.0).smoothness(
        velocity, [direction], 'sum'
    )
    plain = gradient_penalty(velocity, 'sum')
    torch.testing.assert_close(found, np.exp(2 * exponent) * plain)


@pytest.mark.parametrize('preset', ['paper', 'code'])
def test_equal_images_are_smoothed_in_full(preset):
    flat = torch.zeros(1, 1, 16, 16)
    direction = Direction(flat, flat, flat > 0)
    flow = golden_flow()
    found = AdaReg(preset=preset).smoothness(flow, [direction], 'sum')
    torch.testing.assert_close(found, gradient_penalty(flow, 'sum'))
