"""Pairs: repeatable, well formed, any shape and spacing."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.phantom.echo import EchoOptions, echo_pair

ARRAYS = (
    'moving',
    'fixed',
    'moving_labels',
    'fixed_labels',
    'displacement',
    'moving_nuisance',
    'fixed_nuisance',
    'sector',
)
SMALL = {2: (64, 72), 3: (24, 28, 32)}


@pytest.mark.parametrize('ndim', [2, 3])
def test_a_seed_gives_the_same_bits(ndim):
    first, second = (echo_pair(5, ndim, SMALL[ndim]) for _ in range(2))

    assert first.options == second.options
    for name in ARRAYS:
        np.testing.assert_array_equal(
            getattr(first, name), getattr(second, name)
        )


@pytest.mark.parametrize('ndim', [2, 3])
def test_drawn_options_make_the_same_pair_again(ndim):
    pair = echo_pair(11, ndim, SMALL[ndim])
    again = echo_pair(11, ndim, SMALL[ndim], options=pair.options)

    np.testing.assert_array_equal(again.fixed, pair.fixed)


def test_seeds_differ():
    first, second = (
        echo_pair(seed, 2, options=EchoOptions()) for seed in (1, 2)
    )

    assert np.abs(first.moving - second.moving).mean() > 0.03


@pytest.mark.parametrize(
    ('shape', 'spacing'),
    [
        ((128, 128), None),
        ((97, 61), None),
        ((150, 83), (0.9, 1.7)),
        ((64, 64), 2.2),
        ((24, 31, 27), None),
        ((17, 40, 33), (6.0, 3.1, 4.4)),
    ],
)
def test_shapes_types_and_ranges(shape, spacing):
    ndim = len(shape)
    pair = echo_pair(3, ndim, shape, spacing)

    for frame in (pair.moving, pair.fixed):
        assert frame.shape == shape
        assert frame.dtype == np.float32
        assert frame.min() == 0
        assert 0.2 < frame.max() <= 1
        assert np.all(frame[~pair.sector] == 0)
        assert frame[pair.sector].mean() > 0.05
    assert pair.displacement.shape == (ndim, *shape)
    assert pair.displacement.dtype == np.float32
    for labels in (pair.moving_labels, pair.fixed_labels):
        assert labels.dtype == np.uint8
        assert {1, 2} <= set(np.unique(labels)) <= {0, 1, 2, 3}
    assert pair.grid.shape == shape
    assert pair.grid.units == 'mm'
    if spacing is not None:
        np.testing.assert_allclose(
            pair.grid.spacing, np.broadcast_to(spacing, ndim)
        )
    assert 0.25 < pair.sector.mean() < 0.95


def test_the_default_shapes():
    assert echo_pair(0, 2).moving.shape == (128, 128)
    assert echo_pair(0).moving.shape == (64, 64, 64)


@pytest.mark.parametrize('ndim', [2, 3])
def test_the_probe_is_at_the_top_and_at_the_world_origin(ndim):
    pair = echo_pair(0, ndim, SMALL[ndim], options=EchoOptions(near=1))
    depth_axis = ndim - 2
    other = tuple(i for i in range(ndim) if i != depth_axis)
    width = pair.sector.sum(axis=other)
    centre = [(n - 1) / 2 for n in pair.grid.shape]
    centre[depth_axis] = 0

    # it opens downwards to where the spherical bottom cuts the corners
    widest = int(width.argmax())
    assert widest > 0.6 * len(width)
    assert np.all(np.diff(width[2:widest]) >= 0)
    world = pair.grid.index_to_world(centre)
    np.testing.assert_allclose(world, 0, atol=1e-9)
    step = pair.grid.index_to_world(np.eye(ndim)[depth_axis]) - (
        pair.grid.index_to_world(np.zeros(ndim))
    )
    assert step[0, 1] == pytest.approx(pair.grid.spacing[depth_axis])


def test_the_depth_option_places_the_bottom():
    options = EchoOptions(depth=90, near=10)
    pair = echo_pair(0, 2, (120, 100), 1.0, options)
    rows = np.flatnonzero(pair.sector.any(axis=1))

    # no column of an even width lies on the axis itself
    assert 89 <= rows[-1] <= 90
    # the sides of the sector reach up to near * cos(half angle)
    assert 7 <= rows[0] <= 10


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        ({'seed': -1}, 'negative'),
        ({'seed': 1.5}, 'integer'),
        ({'seed': True}, 'integer'),
        ({'ndim': 4}, '4D'),
        ({'ndim': 2, 'shape': (32, 32, 32)}, 'shape'),
        ({'ndim': 2, 'shape': (4, 64)}, 'shape'),
        ({'ndim': 2, 'spacing': -1.0}, 'spacing'),
        ({'ndim': 2, 'spacing': (1.0, 1.0, 1.0)}, 'spacing'),
        ({'ndim': 2, 'spacing': 0.05}, 'deep'),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(arguments, text):
    with pytest.raises(InputError, match=text):
        echo_pair(**{'seed': 0, **arguments})
