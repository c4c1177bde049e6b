"""The faster way gives what the modules give, and leaves them as they were."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from napari_adacs.networks import fast
from napari_adacs.networks.fast import accelerated, upsampling_kernel
from napari_adacs.networks.registry import build_auxiliary, build_displacement
from napari_adacs.networks.unet import UNet
from tests.networks.golden_inputs import fill_parameters, image_pair
from tests.networks.test_voxelmorph_topology import shapes
from tests.training.test_every_network import NETWORKS, options

SHAPES = {2: (40, 56), 3: (20, 32, 17)}


def pair(ndim: int):
    return image_pair(SHAPES[ndim])


def output(network, images):
    found = network(*images)
    return found if isinstance(found, torch.Tensor) else found.displacement


IMPORTED = {'voxelmorph2018', 'vxm-pairwise'}


def both_ways(network, images):
    with torch.inference_mode():
        plain = output(network, images)
        with accelerated([network]):
            swapped = any('forward' in m.__dict__ for m in network.modules())
            faster = output(network, images)
    return plain, faster, swapped


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize('name', sorted(NETWORKS))
def test_every_network_gives_the_same(name, ndim):
    values = {'ndim': ndim, **options(name, ndim)}
    network = build_displacement(name, values).eval()
    fill_parameters(network)
    plain, faster, swapped = both_ways(network, pair(ndim))
    # The layers that imported networks bring are left as they are in 2D.
    assert swapped or (ndim == 2 and name in IMPORTED)
    assert plain.abs().max() > 0.01
    tolerance = 1e-5 * max(1.0, float(plain.abs().max()))
    torch.testing.assert_close(faster, plain, atol=tolerance, rtol=0)


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize('name', ['scoring', 'variance', 'voxelmorph'])
def test_published_sizes_give_the_same(name, ndim):
    build = build_displacement if name == 'voxelmorph' else build_auxiliary
    network = build(name, {'ndim': ndim}).eval()
    fill_parameters(network)
    plain, faster, _ = both_ways(network, pair(ndim))
    torch.testing.assert_close(faster, plain, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    'topology',
    [
        {'nb_features': 4, 'nb_levels': 3, 'nb_conv_per_level': 2},
        {'encoder': [4, 6], 'decoder': [6, 5]},
        {'encoder': [4, 6], 'decoder': [6, 5, 4], 'max_pool': [3, 2]},
        {'encoder': [4, 6], 'decoder': [6, 5, 4], 'half_res': True},
        {'encoder': [4], 'decoder': [6], 'max_pool': 4},
    ],
)
@pytest.mark.parametrize('ndim', [2, 3])
def test_every_topology_gives_the_same(topology, ndim):
    torch.manual_seed(0)
    network = UNet(ndim, 2, **topology).eval()
    image = torch.randn(2, 2, *[12, 24, 12][:ndim])
    with torch.inference_mode():
        plain = network(image)
        with accelerated([network]):
            faster = network(image)
    torch.testing.assert_close(faster, plain, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('ndim', [2, 3])
def test_upsampling_and_convolution_are_one_transposed_convolution(ndim):
    torch.manual_seed(0)
    coarse = torch.randn(1, 3, *[5, 4, 6][:ndim], dtype=torch.float64)
    weight = torch.randn(2, 3, *[3] * ndim, dtype=torch.float64)
    convolve = F.conv2d if ndim == 2 else F.conv3d
    spread = F.conv_transpose2d if ndim == 2 else F.conv_transpose3d
    grown = F.interpolate(coarse, scale_factor=2, mode='nearest')
    torch.testing.assert_close(
        spread(coarse, upsampling_kernel(weight), stride=2, padding=1),
        convolve(grown, weight, padding=1),
    )


def test_networks_are_left_as_they_were():
    network = build_displacement('voxelmorph', {'ndim': 2})
    before = shapes(network)
    with pytest.raises(RuntimeError), accelerated([network]):
        raise RuntimeError
    assert not any('forward' in m.__dict__ for m in network.modules())
    assert shapes(network) == before
    network(*pair(2)).displacement.sum().backward()
    assert network.flow.weight.grad is not None


def test_other_precisions_and_builds_are_left_alone(monkeypatch):
    network = build_displacement('voxelmorph', {'ndim': 2}).double()
    with accelerated([network]):
        assert not any('forward' in m.__dict__ for m in network.modules())
    monkeypatch.setattr(fast, 'onednn_works', lambda: False)
    with accelerated([network.float()]):
        assert not any('forward' in m.__dict__ for m in network.modules())


def test_a_missing_operator_is_noticed(monkeypatch):
    def missing(*_, **__):
        raise AttributeError('no such operator')

    monkeypatch.setattr(fast, '_onednn', missing)
    fast.onednn_works.cache_clear()
    assert not fast.onednn_works()
    monkeypatch.undo()
    fast.onednn_works.cache_clear()


@pytest.mark.parametrize('shape', [(1, 4, 8, 8, 8), (2, 3, 4, 4, 4)])
def test_normalisation_keeps_its_digits(shape):
    norm = nn.InstanceNorm3d(shape[1]).eval()
    x = 5 + torch.randn(shape)
    with torch.inference_mode():
        plain = norm(x)
        with accelerated([nn.Sequential(nn.Conv3d(1, 1, 1), norm)]):
            torch.testing.assert_close(norm(x), plain, atol=2e-6, rtol=0)


@pytest.mark.cuda
@pytest.mark.parametrize('name', sorted(NETWORKS))
def test_half_precision_on_cuda_is_close(name):
    from napari_adacs.registration.backend import computing

    device = torch.device('cuda')
    network = build_displacement(name, {'ndim': 3, **options(name, 3)})
    fill_parameters(network)
    network.eval().to(device)
    images = [x.to(device) for x in pair(3)]
    with torch.inference_mode():
        plain = output(network, images)
        with computing([network], 'auto', device):
            found = output(network, images)
    assert found.dtype == torch.float32
    scale = max(1.0, float(plain.abs().max()))
    assert float((found - plain).abs().max()) < 0.05 * scale


@pytest.mark.cuda
def test_nothing_waits_for_the_device_inside_forward():
    network = build_displacement('voxelmorph', {'ndim': 3}).eval().cuda()
    images = [x.cuda() for x in pair(3)]
    torch.cuda.set_sync_debug_mode('error')
    try:
        with torch.inference_mode():
            network(*images)
    finally:
        torch.cuda.set_sync_debug_mode('default')
