"""Images of any shape, for every architecture and both dimensions."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.networks.registry import build_auxiliary, build_displacement
from napari_adacs.networks.sizes import crop_end, pad_end
from tests.networks.golden_inputs import fill_parameters, image_pair
from tests.training.test_every_network import NETWORKS, options

SHAPES = {
    2: [(33, 47), (20, 31), (5, 40)],
    3: [(17, 33, 20), (7, 9, 30)],
}
CASES = [(ndim, shape) for ndim in SHAPES for shape in SHAPES[ndim]]


def build(name, ndim, **changes):
    values = {'ndim': ndim, **options(name, ndim), **changes}
    network = build_displacement(name, values).eval()
    fill_parameters(network)
    return network


@pytest.mark.parametrize(('ndim', 'shape'), CASES)
@pytest.mark.parametrize('steps', [0, 3])
@pytest.mark.parametrize('name', sorted(NETWORKS))
def test_the_displacement_has_the_shape_of_the_image(name, steps, ndim, shape):
    if name == 'voxelmorph-diff':
        steps = max(steps, 1)  # it has no motion without integration
    network = build(name, ndim, int_steps=steps, int_downsize=2)
    with torch.inference_mode():
        motion = network(*image_pair(shape))
    assert motion.displacement.shape == (1, ndim, *shape)
    assert torch.isfinite(motion.displacement).all()
    assert (motion.inverse is None) == (steps == 0)
    if steps:
        assert motion.inverse.shape == (1, ndim, *shape)


@pytest.mark.parametrize('name', sorted(NETWORKS))
def test_padding_adds_nothing_but_zeros(name):
    """The result is that of the image in a larger empty one."""
    network = build(name, 2)
    small = image_pair((27, 45))
    valid = [
        -(-n // network.size_multiple) * network.size_multiple
        for n in (27, 45)
    ]
    large = [torch.zeros(1, 1, *valid) for _ in small]
    for image, around in zip(small, large, strict=True):
        around[..., :27, :45] = image
    with torch.inference_mode():
        found = network(*small).displacement
        expected = network(*large).displacement
    torch.testing.assert_close(found, expected[..., :27, :45])


@pytest.mark.parametrize(('ndim', 'shape'), CASES)
def test_maps_have_the_shape_of_the_image(ndim, shape):
    moving, fixed = image_pair(shape)
    for name in ('scoring', 'variance'):
        found = build_auxiliary(name, {'ndim': ndim})(fixed, moving)
        assert found.shape == fixed.shape


@pytest.mark.parametrize('downsize', [2, 3, 5])
@pytest.mark.parametrize('name', sorted(NETWORKS))
def test_the_velocity_grid_divides_the_padded_image(name, downsize):
    network = build(name, 2, int_steps=2, int_downsize=downsize)
    motion = network(*image_pair((31, 50)))
    assert motion.displacement.shape == (1, 2, 31, 50)
    padded = -(-31 // network.size_multiple) * network.size_multiple
    assert motion.raw.shape[2] * downsize == padded


def test_pad_and_crop_undo_each_other():
    image = torch.rand(2, 3, 5, 8)
    padded = pad_end(image, 4)
    assert padded.shape == (2, 3, 8, 8)
    assert padded[..., 5:, :].abs().max() == 0
    assert torch.equal(crop_end(padded, (5, 8)), image)
    assert pad_end(padded, 4) is padded
