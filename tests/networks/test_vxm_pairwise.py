"""VoxelMorph 0.3 against the numbers of the published package (0.3.4)."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.networks.vxm_pairwise import VxmPairwise
from napari_adacs.spatial.operators import warp
from tests.networks.golden_inputs import (
    fill_parameters,
    image_pair,
    summary,
)

SHAPES = {2: (64, 64), 3: (32, 32, 32)}

# mean, std, min, max, then values at positions 0, n/7, n/3, n/2, n-1
GOLDEN = {
    (2, 'velocity'): '-0.046850 0.012883 -0.091267 -0.010652 -0.040682 '
    '-0.050523 -0.025214 -0.062673 -0.091267',
    (2, 'displacement'): '-0.046789 0.012770 -0.090292 -0.010772 -0.038726 '
    '-0.050401 -0.024972 -0.059659 -0.090292',
    (2, 'moved'): '0.496474 0.348245 0.002210 0.993171 0.451962 0.723025 '
    '0.925307 0.395637 0.541306',
    (3, 'velocity'): '-0.062756 0.023927 -0.128591 -0.000625 -0.071077 '
    '-0.074228 -0.092550 -0.065300 -0.112501',
    (3, 'displacement'): '-0.062520 0.023600 -0.126858 -0.004831 -0.063021 '
    '-0.074909 -0.082061 -0.061353 -0.112074',
    (3, 'moved'): '0.494734 0.334462 0.002411 0.978159 0.393201 0.022784 '
    '0.349179 0.002411 0.901405',
}


@pytest.mark.parametrize(('ndim', 'count'), [(2, 35_096), (3, 105_017)])
def test_it_computes_what_the_package_computes(ndim, count):
    network = VxmPairwise(ndim).eval()
    assert sum(p.numel() for p in network.parameters()) == count
    fill_parameters(network)
    moving, fixed = image_pair(SHAPES[ndim])
    with torch.no_grad():
        motion = network(moving, fixed)
    found = {
        'velocity': motion.raw,
        'displacement': motion.displacement,
        'moved': warp(moving, motion.displacement),
    }
    for name, values in found.items():
        expected = [float(v) for v in GOLDEN[ndim, name].split()]
        assert summary(values) == pytest.approx(expected, abs=2e-6), name


def test_names_are_those_of_the_package():
    names = set(VxmPairwise(2, (4, 6), (8, 5)).state_dict())
    blocks = [
        'model.downsampling_conv_blocks.0.conv_block.conv0',
        'model.downsampling_conv_blocks.1.conv_block.conv0',
        'model.lowest_resolution_conv_block.conv0',
        'model.upsampling_conv_blocks.0.conv_block.conv0',
        'model.upsampling_conv_blocks.1.conv_block.conv0',
        'model.out_layer.conv0',
        'flow_layer.conv0',
    ]
    assert names == {f'{b}.{p}' for b in blocks for p in ('weight', 'bias')}


def test_other_features_and_sizes():
    network = VxmPairwise(2, (4, 6, 8), (10, 7, 5))
    assert network.size_multiple == 8
    moving, fixed = image_pair((24, 40))
    with torch.no_grad():
        motion = network(moving, fixed)
    assert motion.displacement.shape == (1, 2, 24, 40)
    assert motion.inverse is not None
