"""``preset='code'``: numbers by the rules of the authors' script."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_erosion as erode
from scipy.ndimage import (
    distance_transform_edt,
    generate_binary_structure,
    map_coordinates,
)

from napari_adacs.errors import InputError
from napari_adacs.evaluation.report import evaluate
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid


def ring(size=64, inner=18, outer=24, centre=32):
    y, x = np.ogrid[:size, :size]
    radius = np.hypot(y - centre, x - centre)
    return ((radius >= inner) & (radius < outer)).astype(np.uint8)


def border(mask):
    cross = generate_binary_structure(mask.ndim, 1)
    return mask ^ erode(mask, cross)


def theirs(true, predicted):
    """Dice, HD and directed ASD as the fact sheet defines them."""
    a, b = true > 0, predicted > 0
    a_to_b = distance_transform_edt(~border(b))[border(a)]
    b_to_a = distance_transform_edt(~border(a))[border(b)]
    dice = 2 * (a & b).sum() / (a.sum() + b.sum())
    return dice, max(a_to_b.max(), b_to_a.max()), a_to_b.mean()


@pytest.fixture
def shifted():
    """A ring, the field of a sub-pixel shift, spacing far from 1."""
    grid = Grid.from_spacing((64, 64), (0.3, 0.4))
    voxels = np.zeros((2, 64, 64), np.float32)
    voxels[0], voxels[1] = 0.3, 0.2
    return ring(), DisplacementField(voxels, grid)


def test_any_value_above_zero_counts_in_pixels(shifted):
    labels, field = shifted
    found = evaluate(labels, labels, field, preset='code').rows[0]
    places = np.indices(labels.shape) + field.voxels
    predicted = map_coordinates(labels.astype(float), places, order=1)
    expected = theirs(labels, predicted)
    assert (found.dsc_after, found.hd_after, found.asd_after) == (
        pytest.approx(expected)
    )
    # the correct rule does not move the ring at all
    usual = evaluate(labels, labels, field).rows[0]
    assert usual.dsc_after == 1
    assert found.dsc_after < 0.96
    assert found.hd_after >= 1


def test_all_labels_at_once_are_what_each_mask_would_be(shifted):
    rng = np.random.default_rng(0)
    labels = np.kron(rng.integers(0, 5, (8, 7, 6)), np.ones((3, 3, 3), int))
    grid = Grid.from_spacing((22, 20, 21), (1, 2, 1.5))
    source = Grid.from_spacing(labels.shape, (1.1, 1.9, 1.6), (0.3, -2, 1))
    voxels = rng.normal(0, 1, (3, *grid.shape)).astype(np.float32)
    field = DisplacementField(voxels, grid, source)
    fixed = rng.integers(0, 5, grid.shape)
    table = evaluate(labels, fixed, field, preset='code')
    for row in table:
        share = field.warp_image((labels == row.label).astype(np.float32))
        # rounding may lift or drop a share of next to nothing
        assert row.volume_warped == pytest.approx((share > 0).sum(), abs=5)
        both = ((share > 0) & (fixed == row.label)).sum()
        counted = row.volume_warped + (fixed == row.label).sum()
        assert row.dsc_after == pytest.approx(2 * both / counted, abs=1e-3)


def test_nothing_is_left_over_where_nothing_moves(shifted):
    labels, field = shifted
    still = DisplacementField.identity(field.grid)
    assert (
        evaluate(labels, labels, still, preset='code').rows[0].dsc_after == 1
    )


def test_units_and_volumes_are_pixels(shifted):
    labels, field = shifted
    table = evaluate(labels, labels, field, spacing=9.0, preset='code')
    assert (table.units, table.spacing) == ('voxel', (1.0, 1.0))
    assert table.rows[0].volume_fixed == labels.sum()
    assert any("authors' script" in note for note in table.notes)


def test_neighbouring_labels_may_overlap(shifted):
    labels, field = shifted
    labels = labels + 2 * ring(inner=0, outer=18)
    table = evaluate(labels, labels, field, preset='code')
    assert sum(row.volume_warped for row in table) > (labels > 0).sum() + 100


def test_empty_masks_are_left_out_but_counted(shifted):
    labels, field = shifted
    fixed = labels.copy()
    fixed[:4, :4] = 7
    table = evaluate(labels, fixed, field, preset='code')
    lost = table.rows[1]
    assert np.isnan([lost.dsc_after, lost.hd_after, lost.asd_after]).all()
    assert 'missing in moving' in lost.flags
    assert 'left out after: a mask is empty' in lost.flags
    assert table.mean.dsc_after == table.rows[0].dsc_after
    assert '1 of 2 labels flagged' in table.mean.flags


def test_before_is_plain(shifted):
    labels, field = shifted
    moved = np.roll(labels, 3, axis=0)
    found = evaluate(moved, labels, field, preset='code').rows[0]
    expected = theirs(labels, moved)
    assert (found.dsc_before, found.hd_before, found.asd_before) == (
        pytest.approx(expected)
    )


def test_refused(shifted):
    labels, _ = shifted
    with pytest.raises(InputError, match='preset'):
        evaluate(labels, labels, preset='paper')
    with pytest.raises(InputError, match='cut already'):
        evaluate(labels, labels, warped_labels=labels, preset='code')
