"""Names of labels, and matching by them."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_adacs.app.label_names import (
    check_names,
    label_names,
    match_by_name,
)
from napari_adacs.errors import InputError

DATA = np.array([[0, 1], [2, 5]])


@pytest.mark.parametrize('column', ['name', 'Label', 'structure'])
def test_names_come_from_the_features(column: str) -> None:
    features = {'index': [1, 2, 5], column: ['LV ', 'RV', '']}
    assert label_names(Labels(DATA, features=features)) == {1: 'LV', 2: 'RV'}


def test_rows_without_index_are_values_from_0() -> None:
    features = {'name': ['background', 'LV', 'RV']}
    assert label_names(Labels(DATA, features=features)) == {1: 'LV', 2: 'RV'}


def test_numbers_are_no_names() -> None:
    features = {'index': [1, 2], 'label': [0.1, 0.2]}
    assert label_names(Labels(DATA, features=features)) == {}
    assert label_names(Labels(DATA)) == {}


def test_moving_labels_take_the_values_of_the_fixed_ones() -> None:
    moving = np.array([[0, 1], [2, 2]], np.uint8)
    fixed = np.array([[0, 20], [10, 10]], np.uint8)
    found = match_by_name(
        moving, fixed, {1: 'Cavity', 2: 'wall'}, {10: 'Wall', 20: 'cavity'}
    )
    assert found.values == {1: 20, 2: 10}
    assert np.array_equal(found.apply(moving), [[0, 20], [10, 10]])
    assert found.names == {10: 'Wall', 20: 'cavity'}


def test_a_label_without_counterpart_is_not_mixed_up() -> None:
    """Moving 3 is another structure than fixed 3."""
    moving = np.array([[1, 3], [4, 0]])
    fixed = np.array([[1, 3], [0, 0]])
    found = match_by_name(moving, fixed, {1: 'a', 3: 'b'}, {1: 'a', 3: 'c'})
    matched = found.apply(moving)
    assert matched[0, 0] == 1
    assert not set(matched.ravel()) & {3}
    assert found.names[int(matched[0, 1])] == 'b'
    assert 'moving 4' in found.names[int(matched[1, 0])]


@pytest.mark.parametrize('names', [{}, {1: 'a', 2: 'A'}])
def test_missing_and_ambiguous_names_are_refused(names: dict) -> None:
    with pytest.raises(InputError):
        check_names(names, 'moving')
