"""Slice by slice: definitions, agreement with the volume, brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial.distance import cdist

from napari_adacs.errors import InputError
from napari_adacs.evaluation.overlap import dice
from napari_adacs.evaluation.slice_metrics import (
    mean_slice_metrics,
    slice_metrics,
    slice_metrics_of_labels,
)
from napari_adacs.evaluation.surface import surface, surface_distances


@st.composite
def pairs(draw):
    """Two masks of the same shape, perhaps empty, and a spacing."""
    shape = draw(array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6))
    masks = [draw(arrays(np.bool_, shape)) for _ in range(2)]
    sizes = st.floats(0.1, 5, allow_nan=False)
    return *masks, tuple(draw(sizes) for _ in shape)


def by_brute_force(a, b, spacing, axis):
    """Every slice on its own, every distance by itself."""
    edges = [np.argwhere(surface(mask)) for mask in (a, b)]
    rows = []
    for index in range(a.shape[axis]):
        cut = [np.take(mask, index, axis) for mask in (a, b)]
        voxels = cut[0].sum() + cut[1].sum()
        dsc = 2 * (cut[0] & cut[1]).sum() / voxels if voxels else np.nan
        found = []
        for own, other in (edges, edges[::-1]):
            here = own[own[:, axis] == index]
            if len(here):
                found.extend(
                    cdist(here * spacing, other * spacing).min(axis=1)
                )
        mean = np.mean(found) if found else np.nan
        rows.append((dsc, mean, max(found, default=np.nan), len(found)))
    return np.array(rows).T


@given(pairs())
def test_brute_force(pair):
    a, b, spacing = pair
    if not (a.any() and b.any()):
        return
    for axis, found in enumerate(slice_metrics(a, b, spacing)):
        dsc, assd, hd, count = by_brute_force(a, b, spacing, axis)
        assert found.dsc == pytest.approx(dsc, nan_ok=True)
        assert found.assd == pytest.approx(assd, nan_ok=True)
        assert found.hd == pytest.approx(hd, nan_ok=True)
        assert np.array_equal(found.surface_voxels, count)


@given(pairs())
def test_the_slices_add_up_to_the_volume(pair):
    a, b, spacing = pair
    whole = surface_distances(a, b, spacing)
    for found in slice_metrics(a, b, spacing):
        there = found.surface_voxels > 0
        if not there.any():
            assert whole.empty == 'both'
            continue
        mean = np.average(
            found.assd[there], weights=found.surface_voxels[there]
        )
        assert mean == pytest.approx(whole.assd)
        assert found.hd[there].max() == pytest.approx(whole.hd)


@given(pairs())
def test_axes_may_be_in_any_order(pair):
    a, b, spacing = pair
    turned = slice_metrics(a.T, b.T, spacing[::-1])
    for one, other in zip(
        slice_metrics(a, b, spacing), turned[::-1], strict=True
    ):
        assert one.dsc == pytest.approx(other.dsc, nan_ok=True)
        assert one.assd == pytest.approx(other.assd, nan_ok=True)


def test_a_slice_of_the_dsc_is_that_of_its_cross_section():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 5, 6, 7)) > 0.5
    for axis, found in enumerate(slice_metrics(a, b)):
        for index, value in enumerate(found.dsc):
            cut = np.take(a, index, axis), np.take(b, index, axis)
            assert value == pytest.approx(dice(*cut))


def test_nothing_there_is_undefined_and_one_alone_is_zero():
    a = np.zeros((6, 5, 5), bool)
    b = a.copy()
    a[1:3, 1:4, 1:4] = True
    b[2:4, 1:4, 1:4] = True
    found = slice_metrics(a, b, (2, 1, 1))[0]
    assert found.dsc == pytest.approx(
        [np.nan, 0, 1, 0, np.nan, np.nan], nan_ok=True
    )
    assert np.isnan(found.assd[[0, 4, 5]]).all()
    assert found.hd[1] == 2
    assert found.surface_voxels[0] == 0


def test_a_lost_mask_counts_with_the_diagonal():
    a = np.zeros((4, 5, 6), bool)
    a[1:3, 2:4, 2:4] = True
    found = slice_metrics(a, np.zeros_like(a), (3, 1, 1))[0]
    worst = np.linalg.norm([12, 5, 6])
    assert found.assd[1:3] == pytest.approx(worst)
    assert found.dsc[1:3] == pytest.approx(0)
    assert np.isnan(found.assd[[0, 3]]).all()


def test_two_empty_masks_are_undefined_everywhere():
    empty = np.zeros((3, 4), bool)
    for found, size in zip(slice_metrics(empty, empty), (3, 4), strict=True):
        assert len(found) == size
        assert np.isnan(found.dsc).all()
        assert np.isnan(found.hd).all()
        assert not found.surface_voxels.any()


def test_the_mean_leaves_out_labels_that_are_not_there():
    a = np.zeros((3, 4, 4), bool)
    b = a.copy()
    a[0], b[0, :2] = True, True
    other = np.zeros_like(a)
    other[:2] = True
    mean = mean_slice_metrics(
        [slice_metrics(a, b)[0], slice_metrics(other, other)[0]]
    )
    assert mean.dsc[:2] == pytest.approx([(2 / 3 + 1) / 2, 1])
    assert np.isnan(mean.dsc[2])
    assert mean.surface_voxels[1] == 2 * other[1].sum()


@pytest.mark.parametrize(
    ('a', 'b', 'spacing'),
    [
        (np.ones((3, 3)), np.ones((3, 4)), 1),
        (np.full((3, 3), 0.5), np.ones((3, 3)), 1),
        (np.ones((3, 3)), np.ones((3, 3)), (1, 0)),
    ],
)
def test_what_cannot_be_compared_is_refused(a, b, spacing):
    with pytest.raises(InputError):
        slice_metrics(a, b, spacing)


def test_labels_are_masks_in_their_own_boxes():
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 4, (2, 6, 7, 5))
    done = []
    found = slice_metrics_of_labels(
        a, b, [3, 1, 9], (1, 2, 3), progress=done.append
    )
    assert list(found) == [3, 1, 9]
    assert done == pytest.approx([0, 1 / 3, 2 / 3])
    for label, axes in found.items():
        expected = slice_metrics(a == label, b == label, (1, 2, 3))
        for one, other in zip(axes, expected, strict=True):
            assert one.dsc == pytest.approx(other.dsc, nan_ok=True)
            assert one.assd == pytest.approx(other.assd, nan_ok=True)
            assert one.hd == pytest.approx(other.hd, nan_ok=True)
