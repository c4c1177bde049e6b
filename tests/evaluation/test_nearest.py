"""The three ways to the nearest voxel: all exact, whichever is cheaper."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from napari_adacs.evaluation import nearest
from napari_adacs.evaluation.nearest import nearest_distances

SHAPES = [(41, 37, 53), (90, 70), (3, 60, 44), (300, 20), (1, 30, 1), (1, 1)]
SPACINGS = [(1.0, 1.0, 1.0), (0.7, 0.5, 0.5), (3.0, 0.4, 1.0), (0.1, 2.0, 5)]


@pytest.fixture(params=['band, tree', 'band, transform', 'tree', 'chosen'])
def way(request, monkeypatch):
    """Make each way the cheap one, in turn."""
    cost = {
        'tree': {'_NS_BAND_VOXEL': 1e9, '_NS_TREE_BUILD': 0},
        'band, tree': {'_NS_BAND_VOXEL': -1e9, '_NS_TRANSFORM': 1e9},
        'band, transform': {'_NS_BAND_VOXEL': -1e9, '_NS_TRANSFORM': -1e9},
        'chosen': {},
    }[request.param]
    for name, value in cost.items():
        assert hasattr(nearest, name)
        monkeypatch.setattr(nearest, name, value)
    return request.param


@pytest.mark.parametrize('spacing', SPACINGS)
@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('count', [1, 30, 3000])
def test_equals_the_distance_transform(way, shape, spacing, count):
    rng = np.random.default_rng(count)
    target, query = np.zeros((2, *shape), bool)
    target.flat[rng.integers(target.size, size=count)] = True
    query.flat[rng.integers(query.size, size=200)] = True
    spacing = spacing[: len(shape)]
    expected = distance_transform_edt(~target, sampling=spacing)[query]
    found = nearest_distances(target, query, spacing)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_the_ways_differ(monkeypatch):
    """Forcing a way really takes it, or the test above would test one."""
    taken = []
    for name in ('_by_tree', 'distance_transform_edt'):
        original = getattr(nearest, name)

        def spy(*args, _name=name, _original=original, **kwargs):
            taken.append(_name)
            return _original(*args, **kwargs)

        monkeypatch.setattr(nearest, name, spy)
    target, query = np.zeros((2, 60, 60, 60), bool)
    target[:2, :2, :2] = query[-2:, -2:, -2:] = True
    for price in (1e9, -1e9):
        monkeypatch.setattr(nearest, '_NS_BAND_VOXEL', -1e9)
        monkeypatch.setattr(nearest, '_NS_TRANSFORM', price)
        nearest_distances(target, query, (1.0, 1.0, 1.0))
    assert taken == ['_by_tree', 'distance_transform_edt']


def test_close_surfaces_need_neither(monkeypatch):
    for name in ('_by_tree', 'distance_transform_edt'):
        monkeypatch.setattr(nearest, name, None)
    monkeypatch.setattr(nearest, '_NS_BAND_VOXEL', -1e9)
    target = np.zeros((64, 64, 64), bool)
    target[20:44, 20:44, 20] = True
    query = np.roll(target, 5, 2)
    found = nearest_distances(target, query, (1.0, 1.0, 1.0))
    assert set(found) == {5.0}
