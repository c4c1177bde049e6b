"""Cells of the phantom's tissue."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from napari_adacs.phantom.cells import tissue_cells
from napari_adacs.phantom.echo import echo_pair


@pytest.fixture(scope='module', params=[2, 3])
def pair(request):
    return echo_pair(3, request.param, (32,) * request.param)


@pytest.fixture(scope='module')
def cells(pair):
    return tissue_cells(pair)


def test_cells_move_with_the_tissue(pair, cells):
    moving, fixed = cells
    grid = np.indices(fixed.shape, float)
    pulled = map_coordinates(moving, grid + pair.displacement, order=0)
    both = (pulled > 0) & (fixed > 0)
    moved = np.linalg.norm(pair.displacement, axis=0) > 1
    assert (both & moved).sum() > 100
    aligned = (pulled == fixed)[both & moved].mean()
    assert aligned > 0.8
    assert aligned > (moving == fixed)[both & moved].mean() + 0.2


def test_a_cell_is_within_one_part_of_the_anatomy(pair, cells):
    for found, labels in zip(
        cells, (pair.moving_labels, pair.fixed_labels), strict=True
    ):
        for cell in np.unique(found)[1:]:
            assert len(np.unique(labels[found == cell])) == 1


def test_all_of_the_sector_and_nothing_else_is_divided(pair, cells):
    for found in cells:
        assert np.array_equal(found > 0, pair.sector)


def test_cells_are_small_and_many(cells):
    moving, _ = cells
    sizes = np.bincount(moving.ravel())[1:]
    assert (sizes > 0).sum() > 30
    assert sizes.max() < 0.1 * (moving > 0).sum()


def test_equal_pairs_get_equal_cells(pair, cells):
    again = tissue_cells(pair)
    assert all(np.array_equal(a, b) for a, b in zip(cells, again, strict=True))
