"""NLL and beta-NLL: values, gradients to both estimators."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.weighting.base import Direction, SchemeState
from napari_adacs.weighting.beta_nll import BetaNLL
from napari_adacs.weighting.nll import NLL
from napari_adacs.weighting.vanilla import Vanilla
from tests.weighting.test_schemes import golden_inputs


def live_inputs():
    """Return a direction and a log-variance that both take gradients."""
    direction, _, log_variance = golden_inputs()
    warped = direction.warped.clone().requires_grad_(True)
    output = log_variance.clone().requires_grad_(True)
    return Direction(direction.fixed, warped, direction.mask), output


def unmasked(direction: Direction) -> Direction:
    return Direction(direction.fixed, direction.warped)


@pytest.mark.parametrize(
    ('scheme', 'expected'),
    [
        (NLL(preset='code'), -0.17856617271900177),
        (BetaNLL(preset='code', beta=0.0), -0.17856617271900177),
        (BetaNLL(preset='code'), -0.10448595881462097),
        (BetaNLL(preset='code', beta=1.0), -0.06212509796023369),
    ],
)
def test_likelihood_of_the_published_code(scheme, expected):
    direction, _, log_variance = golden_inputs()
    found = scheme.data_term(direction, log_variance)
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize('beta', [0.0, 0.5, 1.0])
def test_likelihood_of_the_paper_by_hand(beta):
    direction, _, log_variance = golden_inputs()
    direction = unmasked(direction)
    variance = torch.exp(log_variance.double())
    squared = (direction.fixed - direction.warped).double().square()
    expected = variance**beta * (squared / variance + torch.log(variance))
    scheme = NLL() if beta == 0 else BetaNLL(beta=beta)
    found = scheme.data_term(direction, log_variance)
    assert found.item() == pytest.approx(expected.mean().item())


def test_the_code_halves_what_the_paper_has():
    direction, _, log_variance = golden_inputs()
    direction = unmasked(direction)
    for kind in (NLL, BetaNLL):
        paper = kind().data_term(direction, log_variance)
        code = kind(preset='code').data_term(direction, log_variance)
        assert paper.item() == pytest.approx(2 * code.item())


@pytest.mark.parametrize('beta', [0.0, 0.5, 1.0])
@pytest.mark.parametrize('preset', ['paper', 'code'])
def test_gradients_reach_both_and_the_power_is_stopped(preset, beta):
    direction, output = live_inputs()
    scheme = BetaNLL(preset=preset, beta=beta)
    if preset == 'paper':
        direction = unmasked(direction)
    scheme.data_term(direction, output).backward()
    count = output.numel()
    share = 1.0 if preset == 'paper' else 0.5
    s, r2 = output.detach(), direction.residual().detach()
    if direction.mask is not None:
        s = s * direction.mask
    error = (direction.warped - direction.fixed).detach()
    inside = 1.0 if direction.mask is None else direction.mask.float()
    torch.testing.assert_close(
        direction.warped.grad,
        share * inside * torch.exp((beta - 1) * s) * 2 * error / count,
    )
    # Without the stopped power, s would gain beta (r^2 / sigma^2 + s).
    torch.testing.assert_close(
        output.grad,
        share
        * inside
        * torch.exp(beta * s)
        * (1 - r2 * torch.exp(-s))
        / count,
    )


@pytest.mark.parametrize('preset', ['paper', 'code'])
@pytest.mark.parametrize('kind', [NLL, BetaNLL])
def test_the_weight_is_what_multiplies_the_residual(kind, preset):
    """The weight map shows the gradient of the data term by r^2."""
    direction, output = live_inputs()
    if preset == 'paper':
        direction = unmasked(direction)
    scheme = kind(preset=preset)
    scheme.data_term(direction, output).backward()
    weight = scheme.weight(direction, output)
    assert not weight.requires_grad
    error = (direction.warped - direction.fixed).detach()
    if direction.mask is not None:
        error = error * direction.mask
    torch.testing.assert_close(
        direction.warped.grad, weight * 2 * error / weight.numel()
    )


def test_with_beta_one_every_residual_counts_the_same():
    direction, _, log_variance = golden_inputs()
    weight = BetaNLL(beta=1.0).weight(unmasked(direction), log_variance)
    assert (weight == 1).all()


def test_the_best_variance_is_the_squared_residual():
    fixed = torch.tensor([0.1, 0.4, 0.9]).view(1, 1, 1, 3)
    direction = Direction(fixed, torch.zeros_like(fixed))
    for scheme in (NLL(), BetaNLL()):
        output = torch.log(fixed.square()).requires_grad_(True)
        scheme.data_term(direction, output).backward()
        torch.testing.assert_close(
            output.grad, torch.zeros_like(output), atol=1e-6, rtol=0
        )


def test_no_estimator_yet_means_the_plain_error():
    direction, _, _ = golden_inputs()
    plain = Vanilla().data_term(direction, None)
    assert NLL().data_term(direction, None) == plain
    assert (NLL().weight(direction, None) == 1).all()


def test_alone_the_variance_minimises_the_same_likelihood():
    direction, _, log_variance = golden_inputs()
    scheme = BetaNLL()
    terms = scheme.auxiliary_terms(direction, log_variance, SchemeState())
    assert list(terms) == ['likelihood']
    assert terms['likelihood'] == scheme.data_term(direction, log_variance)


def test_extreme_variances_stay_finite():
    fixed = torch.full((1, 1, 4, 4), 0.5)
    direction = Direction(fixed, torch.zeros_like(fixed))
    for extreme in (-1e4, 1e4):
        output = torch.full_like(fixed, extreme)
        for scheme in (NLL(), BetaNLL(), BetaNLL(beta=1.0)):
            assert torch.isfinite(scheme.data_term(direction, output))
            maps = scheme.maps(direction, output)
            assert list(maps) == ['variance', 'weight']
            assert all(torch.isfinite(m).all() for m in maps.values())
