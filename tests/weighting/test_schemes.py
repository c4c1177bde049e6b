"""Weights, losses and the momentum, against the published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.objectives.similarity import local_correlation
from napari_adacs.objectives.smoothness import gradient_penalty
from napari_adacs.spatial.operators import warp
from napari_adacs.weighting.adacs import AdaCS
from napari_adacs.weighting.base import Direction, SchemeState
from napari_adacs.weighting.heteroscedastic import Heteroscedastic
from napari_adacs.weighting.registry import SCHEMES, build_scheme
from napari_adacs.weighting.vanilla import Vanilla
from tests.networks.golden_inputs import image_pair, summary
from tests.spatial.test_operators import golden_flow


def golden_inputs():
    a, b = image_pair((16, 16))
    direction = Direction(a, warp(b, golden_flow()), a > 0.2)
    score = torch.sigmoid(2 * a - b)
    i = torch.arange(16.0)[:, None]
    log_variance = (0.4 * torch.sin(0.5 * i) - 1).expand(16, 16)[None, None]
    return direction, score, log_variance


def masked_mse(direction: Direction) -> float:
    return Vanilla(preset='code').data_term(direction, None).item()


def test_masked_error_of_the_published_code():
    direction, score, _ = golden_inputs()
    assert masked_mse(direction) == pytest.approx(0.11411908268928528)
    weighted = AdaCS(preset='code').data_term(direction, score)
    assert weighted.item() == pytest.approx(0.07483275234699249)


def test_scoring_terms_of_the_published_code():
    direction, score, _ = golden_inputs()
    scheme = AdaCS(preset='code', alpha=1.0, beta=1.0)
    terms = scheme.auxiliary_terms(direction, score, SchemeState())
    assert terms['correspondence'].item() == pytest.approx(0.0748327523)
    assert terms['deficit'].item() == pytest.approx(0.0950046256184578)
    assert terms['variation'].item() == pytest.approx(0.007421498186886311)


def test_smoothness_of_the_published_code():
    penalty = 2 * gradient_penalty(golden_flow(), 'mean')
    assert penalty.item() == pytest.approx(0.0350017286837101)


def test_smoothness_of_the_paper_sums_axes_and_components():
    flow = golden_flow()
    by_hand = sum(
        torch.diff(flow[0, c], dim=d).square().mean()
        for c in range(2)
        for d in range(2)
    )
    assert gradient_penalty(flow, 'sum').item() == pytest.approx(
        by_hand.item()
    )


def test_momentum_of_the_published_code():
    scheme, state = AdaCS(preset='code', beta=1.5), SchemeState()
    out = []
    for epoch, residual in zip(
        (0, 0, 1, 1, 150), (0.004, 0.003, 0.002, 0.015, 0.001), strict=True
    ):
        state.epoch = epoch
        # The golden sequence takes each residual as the running mean.
        state.values.pop('residual_epoch', None)
        scheme.update_momentum(residual, state)
        out.append(state.values['momentum'])
    assert out == pytest.approx(
        [
            1.2138062714820483,
            1.336672434301986,
            1.3816655071026143,
            0.16113651993630318,
            0.1743406666583266,
        ]
    )


def test_published_code_averages_the_residual_over_the_epoch():
    scheme, state = AdaCS(preset='code', beta=1.0), SchemeState()
    scheme.update_momentum(0.002, state)
    scheme.update_momentum(0.004, state)
    assert state.values['momentum'] == pytest.approx(
        math.cos(3.14 * 50 * 0.003)
    )
    state.epoch = 1
    scheme.update_momentum(0.001, state)
    assert state.values['residual_count'] == 1


def test_momentum_of_the_paper():
    scheme, state = AdaCS(beta=2.0), SchemeState()
    scheme.update_momentum(0.2, state)
    first = 0.01 * math.cos(math.pi / 2 * 0.2)
    assert state.values['momentum'] == pytest.approx(first)
    scheme.update_momentum(0.1, state)
    second = 0.99 * first + 0.01 * math.cos(math.pi / 2 * 0.1)
    assert scheme.total_variation_weight(state) == pytest.approx(2 * second)


def test_snr_weight_of_the_published_code():
    direction, _, log_variance = golden_inputs()
    weight = Heteroscedastic(preset='code').weight(direction, log_variance)
    expected = (
        '0.606657 0.079308 0.500000 0.731059 0.641955 0.604855 0.500000 '
        '0.706666 0.650616'
    )
    assert summary(weight) == pytest.approx(
        [float(v) for v in expected.split()], abs=2e-6
    )


@pytest.mark.parametrize(
    ('beta', 'expected'),
    [
        (0.0, -0.17856617271900177),
        (0.5, -0.10448595881462097),
        (1.0, -0.06212509796023369),
    ],
)
def test_variance_loss_of_the_published_code(beta, expected):
    direction, _, log_variance = golden_inputs()
    scheme = Heteroscedastic(preset='code', beta=beta)
    terms = scheme.auxiliary_terms(direction, log_variance, SchemeState())
    assert terms['likelihood'].item() == pytest.approx(expected)


def test_paper_weight_is_the_sigmoid_of_signal_over_noise():
    direction, _, log_variance = golden_inputs()
    weight = Heteroscedastic(gamma=0.5).weight(direction, log_variance)
    sigma = np.exp(log_variance.numpy() / 2)
    expected = 1 / (1 + np.exp(-direction.fixed.numpy() / sigma))
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-5)


def test_paper_variance_loss_has_no_half():
    direction, _, log_variance = golden_inputs()
    paper = Heteroscedastic().auxiliary_terms(
        direction, log_variance, SchemeState()
    )
    code = Heteroscedastic(preset='code').auxiliary_terms(
        Direction(direction.fixed, direction.warped),
        log_variance,
        SchemeState(),
    )
    unmasked = Heteroscedastic().auxiliary_terms(
        Direction(direction.fixed, direction.warped),
        log_variance,
        SchemeState(),
    )
    assert unmasked['likelihood'].item() == pytest.approx(
        2 * code['likelihood'].item()
    )
    assert paper['likelihood'].item() != unmasked['likelihood'].item()


@pytest.mark.parametrize('preset', ['paper', 'code'])
def test_gamma_zero_is_the_plain_error(preset):
    direction, _, log_variance = golden_inputs()
    scheme = Heteroscedastic(preset=preset, gamma=0)
    assert scheme.data_term(direction, log_variance).item() == pytest.approx(
        masked_mse(direction)
    )


@pytest.mark.parametrize('preset', ['paper', 'code'])
@pytest.mark.parametrize('name', SCHEMES)
def test_constant_images_give_finite_numbers(name, preset):
    scheme = build_scheme(name, {'preset': preset})
    flat = torch.zeros(1, 1, 8, 8)
    direction = Direction(flat, flat, flat > 0)
    output = torch.full_like(flat, 0.5)
    assert torch.isfinite(scheme.data_term(direction, output))
    terms = scheme.auxiliary_terms(direction, output, SchemeState())
    assert all(torch.isfinite(t) for t in terms.values())
    maps = scheme.maps(direction, output)
    assert all(torch.isfinite(m).all() for m in maps.values())
    smoothness = scheme.smoothness(torch.ones(1, 2, 8, 8), [direction], 'sum')
    assert smoothness == 0


@pytest.mark.parametrize('name', SCHEMES)
def test_the_weight_carries_no_gradient(name):
    direction, score, _ = golden_inputs()
    output = score.clone().requires_grad_(True)
    weight = build_scheme(name).weight(direction, output)
    assert not weight.requires_grad


def test_the_best_score_falls_with_the_residual():
    """Without smoothness, Eq. 9 is least at S = 1 - r^2 / (2 alpha)."""
    scheme = AdaCS(alpha=0.5, beta=0.0)
    fixed = torch.linspace(0, 0.8, 9).view(1, 1, 1, 9)
    direction = Direction(fixed, torch.zeros_like(fixed))
    score = torch.full_like(fixed, 0.5, requires_grad=True)
    optimiser = torch.optim.SGD([score], lr=1.0)
    for _ in range(400):
        optimiser.zero_grad()
        terms = scheme.auxiliary_terms(direction, score, SchemeState())
        sum(terms.values()).backward()
        optimiser.step()
    expected = 1 - fixed.square() / (2 * 0.5)
    torch.testing.assert_close(score.detach(), expected, atol=1e-3, rtol=0)


def test_variance_loss_is_least_at_the_squared_residual():
    scheme = Heteroscedastic(beta=0.0)
    fixed = torch.tensor([0.1, 0.4, 0.9]).view(1, 1, 1, 3)
    direction = Direction(fixed, torch.zeros_like(fixed))
    s = torch.log(fixed.square()).requires_grad_(True)
    terms = scheme.auxiliary_terms(direction, s, SchemeState())
    terms['likelihood'].backward()
    torch.testing.assert_close(s.grad, torch.zeros_like(s), atol=1e-6, rtol=0)


def test_unknown_names_are_refused_with_a_guess():
    with pytest.raises(ModelError, match='no weighting scheme'):
        build_scheme('adaboost')
    with pytest.raises(ModelError, match="Did you mean 'alpha'"):
        build_scheme('adacs', {'alhpa': 1})


@pytest.mark.parametrize('name', SCHEMES)
def test_unknown_choices_are_refused(name):
    with pytest.raises(ModelError, match="no preset 'papre'"):
        build_scheme(name, {'preset': 'papre'})


def test_vanilla_can_correlate_instead():
    direction, _, _ = golden_inputs()
    for preset, inside in (('paper', 1), ('code', direction.mask)):
        given = Direction(
            direction.fixed,
            direction.warped,
            direction.mask if preset == 'code' else None,
        )
        scheme = build_scheme(
            'vanilla', {'preset': preset, 'similarity': 'lncc'}
        )
        expected = 1 - local_correlation(
            direction.fixed * inside, direction.warped * inside
        )
        found = scheme.data_term(given, None).item()
        assert found == pytest.approx(expected.mean().item())
    with pytest.raises(ModelError, match="no similarity 'ncc'"):
        build_scheme('vanilla', {'similarity': 'ncc'})


@pytest.mark.parametrize('name', SCHEMES)
def test_smoothness_is_the_plain_penalty_unless_adaptive(name):
    direction, _, _ = golden_inputs()
    flow = golden_flow()
    found = build_scheme(name).smoothness(flow, [direction], 'sum')
    plain = gradient_penalty(flow, 'sum')
    assert (found == plain) == (name != 'adareg')


@pytest.mark.parametrize('name', SCHEMES)
def test_hyperparameters_build_the_scheme_again(name):
    scheme = build_scheme(name, {'preset': 'code'})
    assert build_scheme(name, scheme.hyperparameters()) == scheme


@pytest.mark.parametrize(
    ('preset', 'expected'),
    [
        ('paper', lambda r, s: r.mean()),
        ('code', lambda r, s: (s * r).mean() / 2),
    ],
)
def test_what_the_momentum_sees(preset, expected, monkeypatch):
    """Both directions: the mean residual, or half the weighted one."""
    direction, score, _ = golden_inputs()
    scheme, seen = AdaCS(preset=preset), []
    monkeypatch.setattr(
        AdaCS, 'update_momentum', lambda self, mu, state: seen.append(mu)
    )
    mean = scheme.observation([direction] * 2, [score] * 2)
    scheme.observe(float(mean), SchemeState())
    wanted = expected(direction.residual(), score).item()
    assert seen == pytest.approx([wanted])
