"""Before and after, slice by slice, for plots and files."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.errors import CancelledError, InputError
from napari_adacs.evaluation.report import evaluate
from napari_adacs.evaluation.slice_metrics import slice_metrics
from napari_adacs.evaluation.slice_table import slice_table

SPACING = (3.0, 2.0, 1.0)


@pytest.fixture
def labels():
    """Three segmentations: fixed, before, after."""
    return np.random.default_rng(2).integers(0, 3, (3, 6, 7, 5))


def test_a_label_along_an_axis(labels):
    fixed, before, after = labels
    table = slice_table(fixed, before, after, [1, 2], SPACING, 'mm')
    assert table.labels == (1, 2)
    assert table.ndim == 3
    for axis in range(3):
        curves = table.curves(2, axis)
        assert curves.n_slices == fixed.shape[axis]
        for found, other in zip(
            curves.values('assd'), (before, after), strict=True
        ):
            expected = slice_metrics(fixed == 2, other == 2, SPACING)[axis]
            assert found == pytest.approx(expected.assd, nan_ok=True)


def test_the_mean_is_over_labels(labels):
    table = slice_table(*labels, [1, 2])
    mean = table.curves(None, 1).values('dsc')[1]
    both = [table.curves(label, 1).values('dsc')[1] for label in (1, 2)]
    assert mean == pytest.approx(np.nanmean(both, axis=0))


def test_the_largest_is_the_hausdorff_distance_of_the_table(labels):
    fixed, before, _ = labels
    table = slice_table(fixed, before, None, [1, 2], SPACING)
    rows = evaluate(before, fixed, spacing=SPACING).rows
    for row in rows:
        largest = table.curves(row.label, 0).values('hd')[0]
        assert np.nanmax(largest) == pytest.approx(row.hd_before)


def test_without_a_registration_there_is_no_after(labels):
    table = slice_table(labels[0], labels[1], None, [1])
    curves = table.curves(None, 0)
    assert curves.after is None
    assert curves.values('dsc')[1] is None
    assert curves.n_slices == 6


def test_without_a_common_grid_there_is_no_before(labels):
    table = slice_table(labels[0], None, labels[1], [1])
    assert table.labels == (1,)
    assert table.curves(1, 2).values('dsc')[0] is None


def test_records_leave_out_empty_slices():
    fixed = np.zeros((5, 4, 4), int)
    fixed[1:3, 1:3, 1:3] = 7
    rows = slice_table(fixed, fixed, None, [7], 1.0, 'mm').records(0)
    assert [row['slice'] for row in rows] == [1, 2]
    assert rows[0]['label'] == 7
    assert rows[0]['DSC before'] == 1
    assert rows[0]['DSC after'] is None
    assert rows[0]['units'] == 'mm'


def test_progress_covers_both_sides_and_may_stop(labels):
    done = []
    slice_table(*labels, [1, 2], progress=done.append)
    assert done == pytest.approx([0, 0.25, 0.5, 0.75])

    def stop(fraction):
        if fraction > 0.4:
            raise CancelledError

    with pytest.raises(CancelledError):
        slice_table(*labels, [1, 2], progress=stop)


def test_shapes_must_agree(labels):
    with pytest.raises(InputError):
        slice_table(labels[0], labels[1][1:], None, [1])
