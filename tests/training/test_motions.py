"""Both ways of a pair, with and without an inverse; losses of networks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from napari_adacs.networks.diffusemorph import DiffuseMorph
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.objectives.noise import noise_loss
from napari_adacs.objectives.smoothness import gradient_penalty
from napari_adacs.spatial.operators import warp
from napari_adacs.training.batch import Batch
from napari_adacs.training.motions import estimate_motions
from napari_adacs.training.step import Active, compute_losses
from napari_adacs.training.train import new_model, train
from napari_adacs.weighting.base import SchemeState
from tests.networks.golden_inputs import fill_parameters, image_pair
from tests.networks.test_diffusemorph import SMALL as DIFFUSION
from tests.networks.test_diffusemorph import small
from tests.training.conftest import SMALL, make_config
from tests.training.test_step import filled_model, losses


def batch(shape=(16, 16)) -> Batch:
    empty = torch.zeros(1, 0, *shape)
    return Batch(*image_pair(shape), empty, empty)


def network(int_steps: int) -> VoxelMorph:
    built = VoxelMorph(2, [4, 8], [8, 8, 4], int_steps)
    fill_parameters(built)
    with torch.no_grad():
        built.flow.weight *= 20
    return built


def test_with_an_inverse_one_estimate_serves_both_ways():
    found = estimate_motions(network(7), batch(), True)
    assert len(found.estimated) == 1
    assert found.forward.inverse is not None
    one_way = estimate_motions(network(7), batch(), False)
    assert one_way.forward.inverse is None


def test_without_an_inverse_the_swapped_pair_gives_the_way_back():
    plain, pair = network(0), batch()
    found = estimate_motions(plain, pair, True)
    back = plain(pair.fixed, pair.moving).displacement
    forward = plain(pair.moving, pair.fixed).displacement
    torch.testing.assert_close(found.forward.displacement, forward)
    torch.testing.assert_close(found.forward.inverse, back)
    # The negated displacement would be something else.
    assert (back + forward).abs().max() > 0.01
    assert len(found.estimated) == 2
    assert estimate_motions(plain, pair, False).forward.inverse is None


def plain_model():
    config = make_config(
        network={'options': {**SMALL, 'int_steps': 0}},
        scheme={'name': 'vanilla'},
    )
    model = new_model(config)
    fill_parameters(model.displacement)
    return model


@pytest.mark.parametrize('on', ['displacement', 'velocity'])
def test_both_ways_count_in_data_term_and_smoothness(on):
    model, pair = plain_model(), batch((64, 64))
    estimator = model.displacement
    smoothness = {'weight': 0.5, 'on': on, 'reduction': 'mean'}
    config = make_config(smoothness=smoothness, bidirectional=True)
    arguments = (SchemeState(), Active(True, False))
    found = compute_losses(pair, model, {}, config, *arguments).displacement
    data, rough = [], []
    for moving, fixed in (
        (pair.moving, pair.fixed),
        (pair.fixed, pair.moving),
    ):
        field = estimator(moving, fixed).displacement
        data.append((warp(moving, field) - fixed).square().mean())
        rough.append(0.5 * gradient_penalty(field, 'mean'))
    torch.testing.assert_close(found['data'], sum(data) / 2)
    torch.testing.assert_close(found['smoothness'], sum(rough) / 2)
    single = replace(config, bidirectional=False)
    one = compute_losses(pair, model, {}, single, *arguments).displacement
    torch.testing.assert_close(one['data'], data[0])


def test_noise_of_the_diffusion_is_learnt():
    """The network's own loss is that of a drawn step and drawn noise."""
    built, pair = small(noise_weight=0.25), batch((16, 16))
    torch.manual_seed(3)
    motion, terms = built.learn(pair.moving, pair.fixed, inverse=False)
    torch.manual_seed(3)
    step = torch.randint(built.config.steps, (1,))
    noise = torch.randn_like(pair.fixed)
    noisy = built.q_sample(pair.fixed, step, noise)
    predicted = built.predict_noise(pair.moving, pair.fixed, noisy, step)
    expected = 0.25 * noise_loss(noise, predicted)
    torch.testing.assert_close(terms['noise'], expected)
    field = built.motion_from_score(pair.moving, predicted).displacement
    torch.testing.assert_close(motion.displacement, field)


def test_the_noise_loss_reaches_the_score_network_only():
    built, pair = small(), batch((16, 16))
    _, terms = built.learn(pair.moving, pair.fixed)
    terms['noise'].backward()
    assert all(p.grad is not None for p in built.denoise_fn.parameters())
    assert all(p.grad is None for p in built.field_fn.parameters())


def test_the_data_term_reaches_the_score_network_too():
    built, pair = small(), batch((16, 16))
    motion, _ = built.learn(pair.moving, pair.fixed)
    motion.displacement.square().mean().backward()
    assert any(p.grad.any() for p in built.denoise_fn.parameters())


def test_training_logs_the_noise_loss(pairs):
    options = {'features': 32, **DIFFUSION}
    config = make_config(
        network={'name': 'diffusemorph', 'options': options},
        scheme={'name': 'adacs', 'auxiliary_options': SMALL},
        stages={'displacement': 1, 'auxiliary': 1, 'joint': 1},
    )
    seen: list[dict[str, float]] = []
    model = train(
        pairs, config, progress=lambda step, total, found: seen.append(found)
    )
    assert isinstance(model.displacement, DiffuseMorph)
    assert ['noise' in found for found in seen] == [True, False, True]
    assert all('data' in found for found in seen[::2])


def test_inference_draws_nothing():
    built, pair = small().train(), batch((16, 16))
    first = built(pair.moving, pair.fixed).displacement
    torch.testing.assert_close(
        built(pair.moving, pair.fixed).displacement, first
    )


def test_other_networks_have_no_losses_of_their_own():
    assert estimate_motions(network(7), batch(), True).terms == {}
    found = losses(filled_model('vanilla', auxiliary=None)).displacement
    assert set(found) == {'data', 'smoothness'}
