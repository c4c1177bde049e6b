"""AdaFrame against the published numbers and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_adacs.weighting.adaframe import AdaFrame
from napari_adacs.weighting.base import Direction
from tests.networks.golden_inputs import summary
from tests.weighting.test_schemes import golden_inputs

GOLDEN_WEIGHT = (
    '0.993160 0.001738 0.986719 0.994555 0.992870 0.990610 0.994555 '
    '0.992722 0.991663'
)
GOLDEN_SCORE = (
    '-0.319605 0.758869 -0.985771 1.984197 -0.090014 0.826422 -0.985771 '
    '-0.021775 0.430341'
)


def test_weight_of_the_published_code():
    direction, _, _ = golden_inputs()
    scheme = AdaFrame(preset='code')
    slope, shift = scheme.activation(scheme.mean_residual(direction))
    assert slope.item() == pytest.approx(0.3028954565525055)
    assert shift.item() == pytest.approx(4.909029960632324)
    for values, expected in (
        (scheme.standard_score(direction), GOLDEN_SCORE),
        (scheme.weight(direction, None), GOLDEN_WEIGHT),
    ):
        # The last digits of the warp, divided by a deviation of 0.27.
        assert summary(values) == pytest.approx(
            [float(v) for v in expected.split()], abs=1e-5
        )


def test_weight_of_the_paper_by_hand():
    direction, _, _ = golden_inputs()
    direction = Direction(direction.fixed, direction.warped)
    delta = np.abs((direction.fixed - direction.warped).double().numpy())
    mu, eps = delta.mean(), 1e-7
    rho = (delta - mu) / np.sqrt(delta.var() + eps)
    a, b = 0.1 / (mu + eps), 10 * (1 - np.cos(np.pi * mu))
    expected = 1 - 1 / (1 + np.exp(-(a * rho - b)))
    found = AdaFrame().weight(direction, None).numpy()
    np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_paper_and_code_differ_in_pi_and_in_eps():
    mean = torch.tensor([0.4])
    paper, code = AdaFrame(), AdaFrame(preset='code')
    assert paper.activation(mean)[0] == code.activation(mean)[0]
    difference = paper.activation(mean)[1] - code.activation(mean)[1]
    expected = 10 * (np.cos(3.14 * 0.4) - np.cos(np.pi * 0.4))
    assert difference.item() == pytest.approx(expected, rel=1e-2)
    # With hardly any spread, eps decides: in the root it is sqrt(eps).
    fixed = torch.tensor([0.5, 0.5 + 2e-4]).view(1, 1, 1, 2)
    direction = Direction(fixed, torch.zeros_like(fixed))
    score = paper.standard_score(direction).abs().max().item()
    assert score == pytest.approx(1e-4 / np.sqrt(1e-8 + 1e-7), rel=1e-2)
    score = code.standard_score(direction).abs().max().item()
    assert score == pytest.approx(1e-4 / (1e-4 + 1e-7), rel=1e-2)


def test_only_the_code_leaves_out_the_background():
    assert AdaFrame(preset='code').uses_mask
    assert not AdaFrame().uses_mask


def test_background_adds_to_the_deviation_of_the_published_code():
    fixed = torch.tensor([0.2, 0.4, 0.0, 0.0]).view(1, 1, 1, 4)
    direction = Direction(fixed, torch.zeros_like(fixed), fixed > 0)
    score = AdaFrame(preset='code').standard_score(direction)
    deviation = np.array([-0.1, 0.1, -0.3, -0.3])
    expected = deviation / (np.sqrt((deviation**2).sum() / 2) + 1e-7)
    np.testing.assert_allclose(score.flatten(), expected, rtol=1e-5)


@pytest.mark.parametrize('preset', ['paper', 'code'])
def test_large_residuals_count_less_and_samples_do_not_mix(preset):
    scheme = AdaFrame(preset=preset)
    fixed = torch.linspace(0.1, 0.9, 16).view(1, 1, 4, 4)
    one = scheme.weight(Direction(fixed, torch.zeros_like(fixed)), None)
    assert (one.flatten().diff() < 0).all()
    pair = torch.cat([fixed, 0.1 * fixed])
    two = scheme.weight(Direction(pair, torch.zeros_like(pair)), None)
    torch.testing.assert_close(two[:1], one)


@pytest.mark.parametrize('preset', ['paper', 'code'])
def test_the_data_term_is_weighted_and_the_weight_stopped(preset):
    direction, _, _ = golden_inputs()
    warped = direction.warped.clone().requires_grad_(True)
    live = Direction(direction.fixed, warped, direction.mask)
    scheme = AdaFrame(preset=preset)
    weight = scheme.weight(live, None)
    assert not weight.requires_grad
    loss = scheme.data_term(live, None)
    assert loss.item() == pytest.approx(
        (weight * live.residual()).mean().item()
    )
    loss.backward()
    error = (live.warped - live.fixed).detach() * direction.mask
    expected = 2 * weight * error / weight.numel()
    torch.testing.assert_close(warped.grad, expected)


@pytest.mark.parametrize('preset', ['paper', 'code'])
def test_equal_images_leave_one_half(preset):
    fixed = torch.full((1, 1, 8, 8), 0.3)
    scheme = AdaFrame(preset=preset)
    weight = scheme.weight(Direction(fixed, fixed, fixed > 0), None)
    torch.testing.assert_close(weight, torch.full_like(weight, 0.5))
