"""The VoxelMorph of 2018: its paddings, skips and half resolution."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.networks.voxelmorph2018 import StridedConv, VoxelMorph2018
from tests.networks.golden_inputs import fill_parameters, image_pair


@pytest.mark.parametrize(('padding', 'first'), [('after', 0), ('both', -1)])
def test_where_a_strided_convolution_samples(padding, first):
    """Written out: out[i] = sum over k of w[k] x[2i + first + k]."""
    layer = StridedConv(2, 1, 1, padding)
    fill_parameters(layer)
    image = torch.rand(1, 1, 8, 6)
    padded = np.zeros((12, 10))
    padded[1:9, 1:7] = image[0, 0]
    weight = layer.main.weight[0, 0].detach().numpy()
    expected = np.zeros((4, 3))
    for i, j in np.ndindex(4, 3):
        a, b = 2 * i + first + 1, 2 * j + first + 1
        patch = padded[a : a + 3, b : b + 3]
        expected[i, j] = (weight * patch).sum() + layer.main.bias.item()
    expected = np.where(expected > 0, expected, 0.2 * expected)
    with torch.no_grad():
        found = layer(image)[0, 0].numpy()
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ('decoder', 'tail', 'channels'),
    [
        # VM-1 and VM-2, from the published files
        (
            [[32], [32], [32], [32, 8]],
            [8],
            [32, 64, 64, 48, 32, 10, 8],
        ),
        (
            [[32], [32], [32], [32, 32]],
            [16, 16],
            [32, 64, 64, 48, 32, 34, 16, 16],
        ),
    ],
)
def test_what_each_convolution_sees(decoder, tail, channels):
    network = VoxelMorph2018(3, decoder=decoder, tail=tail)
    convs = [m for m in network.modules() if isinstance(m, torch.nn.Conv3d)]
    found = [conv.in_channels for conv in convs]
    assert found == [2, 16, 32, 32, *channels]


def test_without_integration_the_flow_is_the_displacement():
    network = VoxelMorph2018(2)
    fill_parameters(network)
    moving, fixed = image_pair((32, 48))
    with torch.no_grad():
        motion = network(moving, fixed)
    assert motion.displacement.shape == (1, 2, 32, 48)
    assert torch.equal(motion.displacement, motion.raw)
    assert motion.inverse is None


def test_at_half_resolution_the_velocity_is_half_as_large():
    network = VoxelMorph2018(
        2,
        decoder=[[32], [32], [32], [32, 16]],
        tail=[],
        int_steps=7,
        half_res=True,
    )
    fill_parameters(network)
    moving, fixed = image_pair((32, 48))
    with torch.no_grad():
        motion = network(moving, fixed)
    assert motion.raw.shape == (1, 2, 16, 24)
    assert motion.raw_step == 2
    assert motion.displacement.shape == (1, 2, 32, 48)
    assert motion.inverse is not None


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'decoder': [[8], [8]]}, 'each of 4 resolutions'),
        ({'padding': 'before'}, "not 'before'"),
        ({'half_res': True}, 'has no tail'),
        ({'half_res': True, 'tail': []}, 'integrated there'),
    ],
)
def test_options_that_describe_no_network_are_refused(options, message):
    with pytest.raises(ModelError, match=message):
        VoxelMorph2018(3, **options)
