"""Every topology of VoxelMorph 0.2: names, shapes, sizes, inverses."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.networks.auxiliary import ScoringEstimator, VarianceEstimator
from napari_adacs.networks.registry import build_displacement
from napari_adacs.networks.unet import UNet, features_by_level
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.spatial.operators import warp
from tests.networks.golden_inputs import fill_parameters, image_pair


def shapes(network) -> dict[str, tuple[int, ...]]:
    return {k: tuple(v.shape) for k, v in network.state_dict().items()}


def published(inputs: int, head: str, outputs: int, ndim: int):
    """Return the table of keys and shapes of the published networks."""
    kernel = (3,) * ndim
    pairs = {
        'unet_model.encoder.0.0.main': (16, inputs),
        'unet_model.encoder.1.0.main': (32, 16),
        'unet_model.encoder.2.0.main': (32, 32),
        'unet_model.encoder.3.0.main': (32, 32),
        'unet_model.decoder.0.0.main': (32, 32),
        'unet_model.decoder.1.0.main': (32, 64),
        'unet_model.decoder.2.0.main': (32, 64),
        'unet_model.decoder.3.0.main': (32, 64),
        'unet_model.remaining.0.main': (32, 48),
        'unet_model.remaining.1.main': (16, 32),
        'unet_model.remaining.2.main': (16, 16),
        head: (outputs, 16),
    }
    table = {f'{k}.weight': (*v, *kernel) for k, v in pairs.items()}
    return table | {f'{k}.bias': v[:1] for k, v in pairs.items()}


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize(
    ('kind', 'inputs', 'head', 'outputs'),
    [
        (VoxelMorph, 2, 'flow', None),
        (ScoringEstimator, 1, 'scoring_mask', 1),
        (VarianceEstimator, 2, 'log_sigma_I', 1),
    ],
)
def test_default_keys_are_the_published_ones(
    kind, inputs, head, outputs, ndim
):
    expected = published(inputs, head, outputs or ndim, ndim)
    assert shapes(kind(ndim)) == expected


def test_convolutions_of_a_level_count_on_in_the_second_index():
    network = VoxelMorph(
        2,
        encoder=[4, 5, 6, 7],
        decoder=[8, 9, 10, 11, 12],
        nb_conv_per_level=2,
    )
    found = shapes(network)
    channels = {
        'encoder.0.0': (4, 2),
        'encoder.0.1': (5, 4),
        'encoder.1.0': (6, 5),
        'encoder.1.1': (7, 6),
        'decoder.0.0': (8, 7),
        'decoder.0.1': (9, 8),
        'decoder.1.0': (10, 9 + 7),
        'decoder.1.1': (11, 10),
        'remaining.0': (12, 11 + 5),
    }
    for name, shape in channels.items():
        assert found[f'unet_model.{name}.main.weight'][:2] == shape
    assert len(found) == 2 * (len(channels) + 1)
    assert network.size_multiple == 4


def test_features_by_level_repeat_and_grow():
    encoder, decoder = features_by_level(8, 3, 1.5, 2)
    assert encoder == [8, 8, 12, 12]
    assert decoder == [18, 18, 12, 12, 8, 8]
    network = VoxelMorph(
        2, nb_features=8, nb_levels=3, feat_mult=1.5, nb_conv_per_level=2
    )
    assert len(network.unet_model.encoder) == 2
    assert len(network.unet_model.remaining) == 2
    assert network.unet_model.out_channels == 8


def test_without_a_tail_the_head_sees_the_last_skip():
    network = VoxelMorph(2, encoder=[4, 8], decoder=[6, 5])
    assert shapes(network)['flow.weight'] == (2, 5 + 4, 3, 3)
    assert network(*image_pair((8, 12))).displacement.shape == (1, 2, 8, 12)


@pytest.mark.parametrize('factors', [3, [2, 3], [3, 2, 2], [4, 2]])
def test_pooling_factors_of_each_level(factors):
    network = VoxelMorph(2, [4, 6], [6, 6, 4], max_pool=factors, int_steps=0)
    fill_parameters(network)
    expected = 9 if factors == 3 else factors[0] * factors[1]
    assert network.size_multiple == expected
    shape = (2 * expected, 3 * expected)
    sizes = []
    for level in network.unet_model.encoder:
        level[0].register_forward_hook(
            lambda m, i, out: sizes.append(tuple(out.shape[2:]))
        )
    motion = network(*image_pair(shape))
    first = 3 if factors == 3 else factors[0]
    assert sizes == [shape, tuple(n // first for n in shape)]
    assert motion.displacement.shape[2:] == shape


def test_half_resolution_leaves_out_the_last_skip():
    network = VoxelMorph(3, unet_half_res=True)
    found = shapes(network)
    # Upstream: the last level is not concatenated with the first encoder.
    assert found['unet_model.decoder.3.0.main.weight'][:2] == (32, 64)
    assert found['unet_model.remaining.0.main.weight'][:2] == (32, 32)
    fill_parameters(network)
    motion = network(*image_pair((16, 16, 32)))
    assert motion.raw.shape == (1, 3, 8, 8, 16)
    assert motion.raw_step == 2
    assert motion.displacement.shape == (1, 3, 16, 16, 32)
    assert motion.inverse.shape == motion.displacement.shape


def test_half_resolution_without_integration_gives_full_displacements():
    network = VoxelMorph(2, unet_half_res=True, int_steps=0)
    fill_parameters(network)
    motion = network(*image_pair((16, 32)))
    assert motion.raw.shape == (1, 2, 8, 16)
    assert motion.displacement.shape == (1, 2, 16, 32)
    # Values at the corners are those of the coarse grid, in full voxels.
    corner = motion.displacement[0, :, 0, 0]
    torch.testing.assert_close(corner, 2 * motion.raw[0, :, 0, 0])


def test_half_resolution_refuses_another_velocity_grid():
    with pytest.raises(ModelError, match='int_downsize'):
        VoxelMorph(2, unet_half_res=True, int_downsize=1)


@pytest.mark.parametrize('steps', [0, 1, 5, 7])
@pytest.mark.parametrize('downsize', [1, 2, 3, 4])
def test_integration_at_any_resolution(steps, downsize):
    network = VoxelMorph(2, [4, 8], [8, 8, 4], steps, downsize)
    fill_parameters(network)
    multiple = network.size_multiple
    motion = network(*image_pair((5 * multiple, 4 * multiple)))
    factor = downsize if steps else 1
    expected = [5 * multiple // factor, 4 * multiple // factor]
    assert list(motion.raw.shape[2:]) == expected
    assert motion.displacement.shape[2:] == (5 * multiple, 4 * multiple)
    assert (motion.inverse is None) == (steps == 0)
    assert network.invertible == (steps > 0)


def test_the_inverse_is_computed_only_when_asked():
    network = VoxelMorph(2, [4, 8], [8, 8, 4])
    pair = image_pair((16, 16))
    assert network(*pair, inverse=False).inverse is None
    assert network(*pair, inverse=True).inverse is not None


def test_more_squarings_come_closer_to_an_inverse():
    """One squaring is a rough integral, seven a good one."""
    torch.manual_seed(0)
    raw = torch.nn.functional.interpolate(
        torch.randn(1, 2, 4, 4) * 4,
        size=(32, 32),
        mode='bicubic',
        align_corners=True,
    )
    errors = []
    for steps in (1, 7):
        motion = VoxelMorph(2, int_steps=steps, int_downsize=1).motion(raw)
        back = motion.displacement + warp(
            motion.inverse, motion.displacement, padding='border'
        )
        errors.append(float(back[..., 8:-8, 8:-8].abs().mean()))
    assert errors[1] < 0.3 * errors[0]


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'encoder': [4, 8], 'decoder': [8]}, 'fewer than'),
        ({'encoder': [4, 8, 8], 'nb_conv_per_level': 2}, 'whole levels'),
        ({'nb_features': 8}, 'nb_levels'),
        ({'nb_levels': 3}, 'nb_features'),
        ({'nb_features': 8, 'nb_levels': 3, 'encoder': [4]}, 'takes the'),
        ({'max_pool': [2]}, 'factors'),
        ({'no_such': 1}, 'do not fit'),
    ],
)
def test_what_does_not_fit_is_said(options, words):
    with pytest.raises(ModelError, match=words):
        build_displacement('voxelmorph', {'ndim': 2, **options})


def test_maps_can_have_any_topology():
    network = ScoringEstimator(
        2, nb_features=4, nb_levels=3, nb_conv_per_level=2
    )
    score = network(image_pair((9, 13))[0])
    assert score.shape == (1, 1, 9, 13)


def test_coarse_levels_are_upsampled_by_their_own_factor():
    """The published U-Net upsamples in the order of pooling, and fails."""
    network = UNet(2, 1, [2, 2, 2], [2, 2, 2], max_pool=[2, 3, 5])
    assert network(torch.rand(1, 1, 30, 60)).shape == (1, 4, 30, 60)
