"""Blocks of the score network against their definitions."""

from __future__ import annotations

import math

import pytest
import torch

from napari_adacs.networks.diffusion_blocks import (
    Attention,
    TimeEncoding,
    group_norm,
    linear_attention,
    softmax_attention,
)
from napari_adacs.networks.diffusion_unet import ScoreUNet


def test_softmax_attention_is_a_mean_of_values_by_similarity():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 1, 1, 4, 5).double()
    found = softmax_attention(query, key, value)[0, 0]
    for i in range(5):
        weights = [
            math.exp(query[0, 0, :, i] @ key[0, 0, :, j] / 2) for j in range(5)
        ]
        mean = sum(w * value[0, 0, :, j] for j, w in enumerate(weights)) / sum(
            weights
        )
        torch.testing.assert_close(found[:, i], mean)


def test_linear_attention_is_a_context_read_by_the_query():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 3, 6).double()
    found = linear_attention(query, key, value)
    places = key.exp() / key.exp().sum(-1, keepdim=True)
    context = torch.einsum('bhdn,bhen->bhde', places, value)
    expected = torch.einsum('bhde,bhdn->bhen', context, query)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(('ndim', 'channels'), [(2, 32), (3, 8)])
def test_attention_does_not_know_where_a_position_is(ndim, channels):
    torch.manual_seed(0)
    layer = Attention(ndim, channels).double()
    x = torch.randn(2, channels, *(2, 3, 4)[:ndim]).double()
    order = torch.randperm(x.shape[-1])
    with torch.no_grad():
        shuffled = layer(x)[..., order]
        torch.testing.assert_close(layer(x[..., order]), shuffled)
        assert not torch.allclose(layer(x), x)


def test_step_is_encoded_in_sines_then_cosines():
    encoded = TimeEncoding(4)(torch.tensor([0, 137]))
    assert encoded[0].tolist() == [0, 0, 1, 1]
    expected = [
        math.sin(137),
        math.sin(1.37),
        math.cos(137),
        math.cos(1.37),
    ]
    assert encoded[1].tolist() == pytest.approx(expected, abs=1e-5)


def attending(network: ScoreUNet) -> set[str]:
    return {
        name.removesuffix('.attn.norm.weight')
        for name in network.state_dict()
        if name.endswith('.attn.norm.weight')
    }


def test_levels_that_attend_are_those_asked_for():
    network = ScoreUNet(3, 4, (1, 2, 2), (False, True, False))
    assert attending(network) == {'downs.3', 'mid.0', 'ups.3', 'ups.4'}
    network = ScoreUNet(3, 4, (1, 2, 2), (False, False, False))
    assert attending(network) == {'mid.0'}


@pytest.mark.parametrize(('ndim', 'groups'), [(2, 32), (3, 4)])
def test_published_widths_have_the_published_groups(ndim, groups):
    features = {2: 64, 3: 8}[ndim]
    for width in (1, 2, 3, 4, 6, 8):
        assert group_norm(ndim, width * features).num_groups == groups


@pytest.mark.parametrize('features', [4, 16])
def test_a_light_network_still_sees_the_step(features):
    torch.manual_seed(0)
    network = ScoreUNet(2, features, (1, 2), [False, True]).double()
    x = torch.randn(1, 3, 8, 8).double()
    with torch.no_grad():
        early, late = (network(x, torch.tensor([t])) for t in (0, 1500))
    assert (early - late).abs().max() > 1e-3 * early.std()
