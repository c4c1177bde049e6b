"""VoxelMorph-diff and sigma_z: draws, losses, standard deviations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.networks.voxelmorph_diff import VoxelMorphDiff
from napari_adacs.networks.voxelmorph_sigma import VoxelMorphSigma
from napari_adacs.objectives.uncertainty import (
    variance_penalty,
    velocity_divergence,
)
from napari_adacs.registration.register import register
from napari_adacs.training.motions import estimate_motions
from napari_adacs.training.step import Active, compute_losses
from napari_adacs.training.train import new_model
from napari_adacs.weighting.base import SchemeState
from tests.networks.golden_inputs import fill_parameters, image_pair
from tests.networks.test_voxelmorph_topology import published, shapes
from tests.training.conftest import SMALL, make_config
from tests.training.test_motions import batch


def diff(ndim: int = 2, **options) -> VoxelMorphDiff:
    network = VoxelMorphDiff(ndim, **{**SMALL, **options})
    fill_parameters(network)
    return network.eval()


def sigma(ndim: int = 2, **options) -> VoxelMorphSigma:
    network = VoxelMorphSigma(ndim, **{**SMALL, **options})
    fill_parameters(network)
    return network.eval()


@pytest.mark.parametrize('ndim', [2, 3])
def test_names_are_those_of_voxelmorph_with_one_head_more(ndim):
    kernel = (3,) * ndim
    flow = published(2, 'flow', ndim, ndim)
    heads = {
        VoxelMorphDiff: ('log_sigma', ndim),
        VoxelMorphSigma: ('log_sigma_z', 1),
    }
    for kind, (head, count) in heads.items():
        options = {'unet_half_res': False} if kind is VoxelMorphDiff else {}
        expected = flow | {
            f'{head}.weight': (count, 16, *kernel),
            f'{head}.bias': (count,),
        }
        assert shapes(kind(ndim, **options)) == expected


class TestDiff:
    """Dalca et al."""

    @pytest.mark.parametrize('half', [True, False])
    def test_registering_takes_the_mean(self, half):
        network = diff(unet_half_res=half)
        plain = VoxelMorph(2, **SMALL, unet_half_res=half)
        plain.load_state_dict(network.state_dict(), strict=False)
        pair = image_pair((17, 22))
        found, expected = network(*pair), plain(*pair)
        torch.testing.assert_close(found.displacement, expected.displacement)
        torch.testing.assert_close(found.inverse, expected.inverse)
        torch.testing.assert_close(
            network(*pair).displacement, found.displacement
        )

    @pytest.mark.parametrize('half', [True, False])
    def test_the_loss_is_the_scaled_divergence(self, half):
        network = diff(unet_half_res=half, prior=4.0, image_sd=0.1)
        moving, fixed = image_pair((16, 16))
        emitted = network.emit(torch.cat([moving, fixed], 1))
        mean, log_variance = emitted.chunk(2, 1)
        _, terms = network.learn(moving, fixed)
        # Per voxel of the image: a velocity at half resolution has a
        # quarter of the voxels.
        share = 0.25 if half else 1.0
        expected = 0.02 * share * velocity_divergence(mean, log_variance, 4.0)
        torch.testing.assert_close(terms['divergence'], expected)

    def test_draws_have_the_predicted_spread(self):
        network = diff(int_downsize=2)
        torch.nn.init.constant_(network.log_sigma.weight, 0.0)
        torch.nn.init.constant_(network.log_sigma.bias, np.log(0.09))
        pair = image_pair((32, 32))
        raw = network(*pair).raw
        torch.manual_seed(0)
        draws = torch.cat([network.learn(*pair)[0].raw for _ in range(40)])
        assert (draws - raw).std().item() == pytest.approx(0.3, rel=0.03)
        assert (draws - raw).mean().abs().item() < 0.01

    def test_training_needs_no_other_smoothness(self):
        config = make_config(
            network={'name': 'voxelmorph-diff', 'options': SMALL}
        )
        model = new_model(config)
        terms = compute_losses(
            batch(), model, {}, config, SchemeState(), Active(True, False)
        ).displacement
        assert set(terms) == {'data', 'divergence'}
        terms['divergence'].backward()
        assert model.displacement.log_sigma.weight.grad.any()

    def test_spread_of_the_displacement_grows_with_that_of_the_velocity(self):
        found = []
        for variance in (1e-4, 1e-2):
            network = diff(samples=24)
            torch.nn.init.constant_(network.log_sigma.weight, 0.0)
            torch.nn.init.constant_(network.log_sigma.bias, np.log(variance))
            motion = network(*image_pair((29, 32)))
            spread = network.displacement_sd(motion)
            assert spread.shape == (1, 2, 29, 32)
            torch.testing.assert_close(network.displacement_sd(motion), spread)
            found.append(spread.mean().item())
        # Ten times the standard deviation, through a nearly linear map.
        assert found[1] / found[0] == pytest.approx(10, rel=0.1)

    def test_without_integration_there_is_no_posterior(self):
        with pytest.raises(ModelError, match='int_steps'):
            VoxelMorphDiff(2, int_steps=0)


class TestSigma:
    """Zhang et al., supplement."""

    @pytest.mark.parametrize('both_ways', [True, False])
    @pytest.mark.parametrize('int_steps', [0, 7])
    def test_the_loss_is_the_penalty_of_all_directions(
        self, int_steps, both_ways
    ):
        network = sigma(alpha=0.5, int_steps=int_steps)
        pair = batch()
        found = estimate_motions(network, pair, both_ways)
        ways = [(pair.moving, pair.fixed), (pair.fixed, pair.moving)]
        expected = [
            variance_penalty(network(*way).log_variance)
            for way in ways[: 1 + both_ways]
        ]
        torch.testing.assert_close(
            found.terms['uncertainty'], 0.5 * sum(expected) / len(expected)
        )

    def test_draws_have_the_predicted_spread(self):
        network, pair = sigma(), batch((32, 32))
        torch.nn.init.constant_(network.log_sigma_z.weight, 0.0)
        torch.nn.init.constant_(network.log_sigma_z.bias, np.log(0.25))
        mean = network(pair.moving, pair.fixed)
        torch.manual_seed(0)
        drawn = estimate_motions(network, pair, True).forward
        for found, expected in (
            (drawn.displacement, mean.displacement),
            (drawn.inverse, mean.inverse),
        ):
            off = (found - expected).detach()
            assert off.std().item() == pytest.approx(0.5, rel=0.05)
        # What is integrated is not drawn.
        torch.testing.assert_close(drawn.raw, mean.raw)

    def test_both_heads_learn_from_the_draw(self):
        network, pair = sigma(), batch()
        motion = estimate_motions(network, pair, True).forward
        motion.displacement.square().mean().backward()
        assert network.flow.weight.grad.any()
        assert network.log_sigma_z.weight.grad.any()

    def test_spread_is_that_of_the_head_for_each_component(self):
        network = sigma()
        motion = network(*image_pair((13, 18)))
        spread = network.displacement_sd(motion)
        assert spread.shape == (1, 2, 13, 18)
        torch.testing.assert_close(spread[:, 0], spread[:, 1])
        torch.testing.assert_close(
            spread[:, :1].square().log(),
            motion.log_variance[..., :13, :18],
            atol=1e-4,
            rtol=1e-4,
        )

    def test_what_does_not_fit_is_said(self):
        with pytest.raises(ModelError, match='alpha'):
            VoxelMorphSigma(2, alpha=0)
        with pytest.raises(ModelError, match='full resolution'):
            VoxelMorphSigma(2, unet_half_res=True)


@pytest.mark.parametrize('name', ['voxelmorph-diff', 'voxelmorph-sigma'])
def test_a_result_has_the_spread_in_millimetres(name):
    config = make_config(
        network={'name': name, 'options': SMALL},
        scheme={'name': 'vanilla'},
        shape=[16, 16],
    )
    model = new_model(config)
    for module in model.modules().values():
        module.eval()
    head = getattr(
        model.displacement,
        'log_sigma' if name == 'voxelmorph-diff' else 'log_sigma_z',
    )
    torch.nn.init.constant_(head.bias, np.log(0.04))
    images = [image_pair((16, 16))[i][0, 0].numpy() for i in range(2)]
    voxels = register(*images, model)
    assert set(voxels.maps) == {'displacement_sd'}
    spread = voxels.displacement_sd
    assert spread.shape == (16, 16)
    assert spread.min() > 0
    if name == 'voxelmorph-sigma':
        assert spread.mean() == pytest.approx(0.2, rel=0.1)
    millimetres = register(*images, model, spacing=(3.0, 4.0))
    # The root mean square of 3 and 4 times as much.
    np.testing.assert_allclose(
        millimetres.displacement_sd.mean() / spread.mean(),
        np.sqrt(12.5),
        rtol=0.05,
    )
