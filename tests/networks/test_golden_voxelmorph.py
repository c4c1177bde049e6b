"""Numbers of the published code (filled networks), to five digits."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.networks.auxiliary import ScoringEstimator, VarianceEstimator
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.spatial.operators import warp
from tests.networks.golden_inputs import (
    fill_parameters,
    image_pair,
    summary,
)

SHAPES = {2: (64, 64), 3: (32, 32, 32)}

# mean, std, min, max, then values at positions 0, n/7, n/3, n/2, n-1
GOLDEN = {
    (2, 'raw'): '0.019474 0.008501 0.003203 0.035042 0.031872 0.028365 '
    '0.027341 0.006238 0.014962',
    (2, 'moved source'): '0.499448 0.350589 0.001575 0.996975 0.513416 '
    '0.690227 0.906948 0.399008 0.540567',
    (2, 'moved target'): '0.499546 0.352791 0.000436 0.999456 0.925965 '
    '0.813798 0.251948 0.977695 0.999456',
    (2, 'displacement'): '0.038945 0.016853 0.006952 0.069644 0.063670 '
    '0.056398 0.054644 0.012567 0.029364',
    (2, 'score'): '0.501292 0.003896 0.491471 0.516958 0.493964 0.506159 '
    '0.499137 0.497988 0.492768',
    (2, 'variance'): '-0.006406 0.001909 -0.019628 0.003243 -0.010480 '
    '-0.005995 -0.005062 -0.009233 -0.019628',
    (3, 'raw'): '0.010922 0.015946 -0.010901 0.034012 0.028525 0.032869 '
    '0.008746 0.007261 -0.009280',
    (3, 'moved source'): '0.498088 0.348246 0.001368 0.995544 0.508007 '
    '0.012123 0.288511 0.006168 0.818909',
    (3, 'moved target'): '0.498647 0.351885 0.000535 0.998897 0.927361 '
    '0.452254 0.220024 0.001382 0.003865',
    (3, 'displacement'): '0.021882 0.031953 -0.021411 0.067449 0.056952 '
    '0.065556 0.017389 0.014470 -0.018215',
    (3, 'score'): '0.494581 0.001579 0.483459 0.503369 0.491322 0.495935 '
    '0.494830 0.493101 0.493818',
    (3, 'variance'): '-0.008094 0.002546 -0.019875 -0.002775 -0.019875 '
    '-0.007356 -0.006878 -0.016264 -0.016978',
}

PARAMETERS = {
    (VoxelMorph, 2): 109_170,
    (VoxelMorph, 3): 327_331,
    (ScoringEstimator, 2): 108_881,
    (ScoringEstimator, 3): 326_033,
    (VarianceEstimator, 2): 109_025,
    (VarianceEstimator, 3): 326_465,
}


def outputs(ndim: int) -> dict[str, torch.Tensor]:
    source, target = image_pair(SHAPES[ndim])
    networks = [
        kind(ndim).eval()
        for kind in (VoxelMorph, ScoringEstimator, VarianceEstimator)
    ]
    for network in networks:
        fill_parameters(network)
    displacement, scoring, variance = networks
    with torch.no_grad():
        motion = displacement(source, target)
        return {
            'raw': motion.raw,
            'displacement': motion.displacement,
            'moved source': warp(source, motion.displacement),
            'moved target': warp(target, motion.inverse),
            'score': scoring(target),
            'variance': variance(target, source),
        }


@pytest.fixture(scope='module', params=[2, 3])
def computed(request):
    return request.param, outputs(request.param)


@pytest.mark.parametrize('what', sorted({what for _, what in GOLDEN}))
def test_filled_networks_give_the_published_numbers(computed, what):
    ndim, values = computed
    expected = [float(v) for v in GOLDEN[ndim, what].split()]
    # 1e-5 is the spread between builds of torch on sampled sine images.
    assert summary(values[what]) == pytest.approx(expected, abs=1.5e-5)


@pytest.mark.parametrize(('kind', 'ndim'), PARAMETERS)
def test_number_of_parameters(kind, ndim):
    count = sum(p.numel() for p in kind(ndim).parameters())
    assert count == PARAMETERS[kind, ndim]


def test_parameter_names_are_those_of_voxelmorph():
    names = set(VoxelMorph(2).state_dict())
    assert 'unet_model.encoder.0.0.main.weight' in names
    assert 'unet_model.decoder.3.0.main.bias' in names
    assert 'unet_model.remaining.2.main.weight' in names
    assert 'flow.weight' in names
    assert len(names) == 24


def test_without_integration_the_output_is_the_displacement():
    network = VoxelMorph(2, int_steps=0)
    fill_parameters(network)
    source, target = image_pair((32, 48))
    motion = network(source, target)
    assert motion.inverse is None
    torch.testing.assert_close(motion.raw, motion.displacement)


def test_estimated_map_and_its_inverse_undo_each_other():
    torch.manual_seed(0)
    network = VoxelMorph(2)
    coarse = torch.randn(1, 2, 4, 4) * 3
    raw = torch.nn.functional.interpolate(
        coarse, size=(32, 32), mode='bicubic', align_corners=True
    )
    motion = network.motion(raw)
    back = motion.displacement + warp(
        motion.inverse, motion.displacement, padding='border'
    )
    inner = (slice(None), slice(None), slice(12, -12), slice(12, -12))
    largest = motion.displacement.abs().max()
    assert largest > 3
    assert back[inner].abs().max() < 0.03 * largest
