"""Many labels in one pass give what each label gives alone."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.evaluation.comparison import (
    compare_labels,
    compare_masks,
    label_counts,
)

SPACING = (1.5, 1.0, 0.5)


@pytest.fixture(scope='module')
def segmentations(make_blob):
    volumes = []
    for seed in (0, 10):
        labels = np.zeros((24, 26, 28), np.int32)
        for i, value in enumerate((1, 3, 7, 2035)):
            labels[make_blob(seed + i, labels.shape)] = value
        volumes.append(labels)
    return volumes


@pytest.mark.parametrize(
    'rename', [{}, {7: 100_000}, {7: -5}, {1: 2**40, 3: -(2**40)}]
)
def test_each_label_alone(segmentations, rename):
    first, second = (labels.astype(np.int64) for labels in segmentations)
    values = [1, 3, 7, 2035]
    for old, new in rename.items():
        values[values.index(old)] = new
        for labels in (first, second):
            labels[labels == old] = new
    together = compare_labels(first, second, values, SPACING)
    assert list(together) == values
    for value, found in together.items():
        alone = compare_masks(first == value, second == value, SPACING)
        assert found == alone
        assert 0 < found.dsc < 1


def test_labels_that_are_missing(segmentations):
    first, second = (labels.copy() for labels in segmentations)
    first[first == 3] = 0
    found = compare_labels(first, second, [3, 5], SPACING)
    assert found[3].dsc == 0
    assert found[3].surface.empty == 'a'
    worst = np.linalg.norm(np.multiply(first.shape, SPACING))
    assert found[3].surface.hd == pytest.approx(worst)
    assert found[5].dsc == 1
    assert found[5].surface.empty == 'both'


def test_background_can_be_asked_for(segmentations):
    found = compare_labels(*segmentations, [0, 7], SPACING)
    alone = compare_masks(*(s == 0 for s in segmentations), SPACING)
    assert found[0] == alone


def test_no_labels_no_rows(segmentations):
    assert compare_labels(*segmentations, []) == {}


def test_volumes(segmentations):
    found = compare_labels(*segmentations, [7], SPACING)[7]
    assert found.volume_a == (segmentations[0] == 7).sum() * 0.75
    assert found.volume_b == (segmentations[1] == 7).sum() * 0.75


def test_label_counts():
    assert label_counts(np.array([[3, 3], [0, 7]])) == {0: 1, 3: 2, 7: 1}
    assert label_counts(np.array([[-1, 10**9]])) == {-1: 1, 10**9: 1}


@pytest.mark.parametrize('bad', [0.5, np.nan, np.inf, 1e300])
def test_only_whole_numbers(segmentations, bad):
    other = segmentations[0].astype(float)
    assert compare_labels(other, other, [1])[1].dsc == 1
    other[0, 0, 0] = bad
    with pytest.raises(InputError, match='labels'):
        compare_labels(other, segmentations[1], [1])
