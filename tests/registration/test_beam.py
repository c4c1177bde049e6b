"""The beam is found however a volume is stored."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_adacs.phantom.echo import echo_pair
from napari_adacs.registration.beam import beam_axis, beam_grid
from napari_adacs.registration.preprocess import resample
from napari_adacs.spatial.grid import Grid


@pytest.fixture(scope='module')
def volume():
    return echo_pair(3, 3, (40, 40, 40)).fixed  # depth along axis 1


@pytest.mark.parametrize('order', list(itertools.permutations(range(3))))
def test_every_axis_order(volume, order):
    turned = volume.transpose(order)
    assert beam_axis(turned) == (order.index(1), 1)
    where = order.index(1)
    assert beam_axis(np.flip(turned, where)) == (where, -1)


def test_two_dimensions():
    image = echo_pair(3, 2, (96, 96)).fixed
    assert beam_axis(image) == (0, 1)
    assert beam_axis(image.T) == (1, 1)


def test_no_sector_no_guess():
    rng = np.random.default_rng(0)
    image = rng.random((20, 24, 22)).astype(np.float32)
    assert beam_axis(image) is None
    grid = Grid.from_spacing(image.shape)
    assert beam_grid(grid, image) is grid


@pytest.mark.parametrize('order', list(itertools.permutations(range(3))))
def test_the_network_always_sees_depth_on_the_second_axis(volume, order):
    turned = np.flip(volume.transpose(order), order.index(1))
    grid = Grid.from_spacing(turned.shape, (1.0, 2.0, 3.0))
    seen = resample(turned, grid, beam_grid(grid, turned))[0, 0].numpy()
    assert beam_axis(seen) == (1, 1)
    np.testing.assert_allclose(seen.sum(), turned.sum(), rtol=1e-4)


def test_real_echo(shared_data):
    import nibabel as nib

    volume = nib.load(shared_data / 'mitea-034' / 'ES.nii.gz').get_fdata()
    assert beam_axis(volume) == (0, 1)
