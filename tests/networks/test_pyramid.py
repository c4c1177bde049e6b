"""The pyramid: what levels see and add, inverses, large motions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_adacs.errors import ModelError
from napari_adacs.networks.pyramid import Pyramid
from napari_adacs.networks.pyramid_levels import local_products
from napari_adacs.networks.registry import build_displacement
from napari_adacs.objectives.smoothness import gradient_penalty
from napari_adacs.spatial.jacobian import jacobian_determinant
from napari_adacs.spatial.operators import compose, integrate, warp
from tests.networks.golden_inputs import fill_parameters, image_pair

SHAPES = {2: (48, 64), 3: (32, 16, 48)}


def filled(ndim: int = 2, **options) -> Pyramid:
    network = Pyramid(ndim, **options).eval()
    fill_parameters(network)
    return network


def still(ndim: int = 2, **options) -> Pyramid:
    """A network whose estimators find nothing."""
    network = filled(ndim, **options)
    with torch.no_grad():
        for estimator in network.estimators:
            estimator.flow.weight.zero_()
            estimator.flow.bias.zero_()
    return network


@pytest.mark.parametrize(('ndim', 'count'), [(2, 169_592), (3, 510_876)])
def test_it_starts_from_the_identity(ndim, count):
    torch.manual_seed(0)
    network = build_displacement('pyramid', {'ndim': ndim}).eval()
    assert sum(p.numel() for p in network.parameters()) == count
    assert network.size_multiple == 16
    with torch.no_grad():
        motion = network(*image_pair(SHAPES[ndim]))
    assert 0 < motion.displacement.abs().max() < 1e-2
    assert 0 < motion.inverse.abs().max() < 1e-2


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize('downsize', [1, 2, 3])
def test_the_velocity_gives_the_displacement(ndim, downsize):
    network = filled(ndim, channels=4, levels=3, int_downsize=downsize)
    pair = image_pair(tuple(4 * downsize * n for n in (3, 4, 2)[:ndim]))
    with torch.no_grad():
        motion = network(*pair)
        alone = network(*pair, inverse=False)
        again = network.displace(motion.raw)
        back = network.displace(-motion.raw)
    assert motion.raw.shape[2:] == tuple(
        n // downsize for n in pair[0].shape[2:]
    )
    assert motion.raw_step == downsize
    assert motion.displacement.abs().max() > 0.1
    torch.testing.assert_close(again, motion.displacement)
    torch.testing.assert_close(back, motion.inverse)
    torch.testing.assert_close(alone.displacement, motion.displacement)
    assert alone.inverse is None


def test_without_integration_levels_add_displacements():
    network = filled(channels=4, levels=2, int_steps=0)
    with torch.no_grad():
        motion = network(*image_pair((24, 32)))
    assert motion.inverse is None
    assert motion.raw.shape[2:] == (12, 16)
    corner = motion.displacement[0, :, 0, 0]
    torch.testing.assert_close(corner, 2 * motion.raw[0, :, 0, 0])


@pytest.mark.parametrize('correlation', [0, 1])
def test_exchanging_axes_of_images_and_kernels_exchanges_the_motion(
    correlation,
):
    network = filled(channels=4, correlation=correlation).double()
    pair = [x.double() for x in image_pair((32, 48))]
    with torch.no_grad():
        expected = network(*pair).displacement
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.copy_(module.weight.transpose(2, 3).clone())
        for estimator in network.estimators:
            for values in (estimator.flow.weight, estimator.flow.bias):
                values.copy_(values.flip(0).clone())
            if correlation:
                first = estimator.blocks[0].main.weight
                n = 2 * estimator.flow.in_channels
                shifts = first[:, n : n + 9].clone()
                exchanged = torch.arange(9).view(3, 3).T.flatten()
                first[:, n : n + 9] = shifts[:, exchanged]
        found = network(*[x.transpose(2, 3) for x in pair]).displacement
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(found.transpose(2, 3).flip(1), expected)


@pytest.mark.parametrize('level', range(3))
def test_every_level_adds_its_part(level):
    network = still(channels=4, levels=3)
    torch.nn.init.constant_(network.estimators[level].flow.bias, 0.5)
    with torch.no_grad():
        motion = network(*image_pair((64, 64)))
    # Half a voxel of the level, in voxels of the finest velocity.
    torch.testing.assert_close(
        motion.raw, torch.full_like(motion.raw, 0.5 * 2**level)
    )


def test_finer_levels_see_the_moving_features_warped_so_far():
    network = still(channels=4, levels=2, int_steps=5)
    torch.nn.init.constant_(network.estimators[1].flow.bias[:1], 1.0)
    seen = []
    network.estimators[0].register_forward_pre_hook(
        lambda _, inputs: seen.extend(inputs)
    )
    moving, fixed = image_pair((64, 64))
    with torch.no_grad():
        network(moving, fixed)
        (of_moving, of_fixed), _ = network.features(moving, fixed)
    warped, beside, context = seen
    torch.testing.assert_close(beside, of_fixed)
    assert context.shape == (1, 16, 8 * 2, 8 * 2)
    # A voxel of the coarse level is two of this one; away from the edge,
    # where the velocity ends.
    torch.testing.assert_close(
        warped[..., 8:-8, 8:-8], of_moving[..., 10:-6, 8:-8]
    )


def test_features_of_both_images_are_found_in_the_same_way():
    network = filled(3, channels=2, levels=2)
    image, _ = image_pair((16, 16, 24))
    for of_moving, of_fixed in network.features(image, image):
        assert torch.equal(of_moving, of_fixed)


@pytest.mark.parametrize('ndim', [2, 3])
def test_local_products_are_those_of_shifted_features(ndim):
    torch.manual_seed(0)
    shape = (6, 5, 7)[:ndim]
    fixed, warped = torch.randn(2, 2, 3, *shape, dtype=torch.float64)
    found = local_products(fixed, warped, 1)
    assert found.shape == (2, 3**ndim, *shape)
    shifts = np.stack(
        np.meshgrid(*[[-1, 0, 1]] * ndim, indexing='ij'), -1
    ).reshape(-1, ndim)
    place = np.array((0, 4, 3)[:ndim])
    for channel, shift in enumerate(shifts):
        other = np.clip(place + shift, 0, np.array(shape) - 1)
        expected = (
            fixed[(slice(None), slice(None), *place)]
            * warped[(slice(None), slice(None), *other)]
        ).mean(1)
        torch.testing.assert_close(
            found[(slice(None), channel, *place)], expected
        )


def large_motion(ndim: int):
    """A texture, and the same moved smoothly by an eighth of its side."""
    torch.manual_seed(3)
    side = {2: 64, 3: 24}[ndim]
    shape = (side,) * ndim
    coarse = torch.randn(1, 1, *[side // 8] * ndim)
    mode = {2: 'bicubic', 3: 'trilinear'}[ndim]
    moving = F.interpolate(coarse, size=shape, mode=mode)
    axes = torch.meshgrid(
        *[torch.linspace(0, torch.pi, n) for n in shape], indexing='ij'
    )
    bump = torch.stack([a.sin() for a in axes]).prod(0).square()
    velocity = torch.stack([bump, -bump, bump][:ndim])[None] * side / 8
    truth = integrate(velocity, 7)
    moving = (moving - moving.min()) / (moving.max() - moving.min())
    return moving, warp(moving, truth, padding='border'), truth


@pytest.mark.parametrize(
    ('ndim', 'steps', 'left'), [(2, 80, 0.25), (3, 50, 0.5)]
)
def test_a_large_motion_is_found_without_folds_and_undone(ndim, steps, left):
    moving, fixed, truth = large_motion(ndim)
    torch.manual_seed(0)
    network = Pyramid(ndim, channels=4, levels=3)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(steps):
        motion = network(moving, fixed)
        residual = warp(moving, motion.displacement) - fixed
        loss = residual.square().mean() + 0.002 * gradient_penalty(motion.raw)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        motion = network(moving, fixed)
        there_and_back = compose(motion.displacement, motion.inverse)
    inside = (..., *[slice(4, -4)] * ndim)
    error = (motion.displacement - truth)[inside].norm(dim=1).mean()
    assert truth.norm(dim=1).max() > 4
    assert error < left * truth[inside].norm(dim=1).mean()
    determinant = jacobian_determinant(motion.displacement[0].numpy())
    assert determinant.min() > 0
    assert there_and_back[inside].norm(dim=1).max() < 0.1


@pytest.mark.parametrize(
    'wrong',
    [
        {'channels': 0},
        {'levels': 0},
        {'int_downsize': 0},
        {'correlation': -1},
        {'passes': 0},
    ],
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ModelError, match=next(iter(wrong))):
        Pyramid(2, **wrong)


def test_a_pass_adds_what_the_warped_pair_lacks():
    once, twice = filled(channels=4), filled(channels=4, passes=2)
    moving, fixed = image_pair((32, 48))
    with torch.no_grad():
        first = once(moving, fixed)
        warped = warp(moving, first.displacement, padding='border')
        second = once(warped, fixed)
        both = twice(moving, fixed)
    assert second.raw.abs().max() > 0.01
    torch.testing.assert_close(both.raw, first.raw + second.raw)
    torch.testing.assert_close(twice.displace(-both.raw), both.inverse)


def test_passes_share_their_weights():
    once, thrice = Pyramid(2), Pyramid(2, passes=3)
    assert once.state_dict().keys() == thrice.state_dict().keys()


@pytest.mark.parametrize('passes', [1, 3])
def test_any_of_the_passes_learns(passes):
    network = filled(channels=4, passes=passes)
    moving, fixed = image_pair((32, 48))
    with torch.no_grad():
        velocities = [network.velocity(moving, fixed)]
        for _ in range(passes - 1):
            velocities.append(network.improved(velocities[-1], moving, fixed))
    torch.manual_seed(0)
    seen = set()
    for _ in range(20):
        motion, terms = network.learn(moving, fixed)
        assert not terms
        same = [torch.allclose(motion.raw, v) for v in velocities]
        assert any(same)
        seen.add(same.index(True))
        network.zero_grad()
        motion.displacement.square().mean().backward()
        assert network.stem.main.weight.grad.any()
    assert seen == set(range(passes))
