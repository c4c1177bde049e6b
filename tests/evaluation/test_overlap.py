"""Overlap and volume."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.evaluation.overlap import (
    dice,
    jaccard,
    volume,
    volume_difference,
)


@pytest.fixture
def masks():
    a, b = np.zeros((2, 4, 5), bool)
    a[0, :4] = True
    b[0, 2:5] = True
    return a, b


def test_by_hand(masks):
    assert dice(*masks) == pytest.approx(4 / 7)
    assert jaccard(*masks) == pytest.approx(2 / 5)


def test_one_follows_from_the_other(make_blob):
    a, b = make_blob(0, (20, 20, 20)), make_blob(1, (20, 20, 20))
    j = jaccard(a, b)
    assert dice(a, b) == pytest.approx(2 * j / (1 + j))


@pytest.mark.parametrize('metric', [dice, jaccard])
def test_empty(metric, masks):
    nothing = np.zeros((4, 5), bool)
    assert metric(nothing, nothing) == 1
    assert metric(nothing, masks[0]) == metric(masks[0], nothing) == 0


def test_volume_counts_voxels_of_their_size(masks):
    assert volume(masks[0]) == 4
    assert volume(masks[0], (0.5, 3)) == pytest.approx(6)
    assert volume(np.ones((2, 3, 4)), 2.0) == pytest.approx(192)


def test_volume_difference_is_second_minus_first(masks):
    assert volume_difference(*masks, 2.0) == pytest.approx(-4)
    assert volume_difference(*masks, relative=True) == pytest.approx(-0.25)
    nothing = np.zeros((4, 5), bool)
    assert np.isnan(volume_difference(nothing, masks[0], relative=True))


def test_refused(masks):
    with pytest.raises(InputError, match='binary'):
        dice(masks[0] * 2, masks[1])
    with pytest.raises(InputError, match='shape'):
        jaccard(masks[0], masks[1].T)
    with pytest.raises(InputError, match='spacing'):
        volume(masks[0], 0)
