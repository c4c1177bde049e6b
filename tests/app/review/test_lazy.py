"""Arrays made on demand behave as arrays do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import affine_transform

from napari_adacs.app.review.lazy import FrameOf, Key, LazyArray, OnGrid

SHAPE = (4, 5, 6)


class Known(LazyArray):
    """An array of which every part is known."""

    values = np.random.default_rng(0).random(SHAPE).astype(np.float32)

    def __init__(self) -> None:
        super().__init__(SHAPE)
        self.asked: list[Key] = []

    def compose(self, key: Key) -> Any:
        self.asked.append(key)
        return self.values[key]


def _index(size: int) -> st.SearchStrategy[Any]:
    return st.one_of(st.integers(-size, size - 1), st.slices(size))


@given(st.tuples(*map(_index, SHAPE)), st.integers(0, 3))
def test_parts_are_those_of_an_array(key: tuple[Any, ...], kept: int) -> None:
    np.testing.assert_array_equal(Known()[key], Known.values[key])
    np.testing.assert_array_equal(
        Known()[key[:kept]], Known.values[key[:kept]]
    )
    np.testing.assert_array_equal(
        Known()[..., key[-1]], Known.values[..., key[-1]]
    )


def test_it_composes_only_what_is_asked_for() -> None:
    array = Known()
    assert array[2].shape == (5, 6)
    assert array.asked == [(2, slice(None), slice(None))]
    np.testing.assert_array_equal(np.asarray(array), Known.values)
    assert (array.ndim, array.size, len(array)) == (3, 120, 4)


@pytest.mark.parametrize('key', [4, -5, (0, 0, 0, 0), (..., ...)])
def test_there_is_nothing_outside(key: Any) -> None:
    with pytest.raises(IndexError):
        Known()[key]


def test_other_indices_are_refused() -> None:
    with pytest.raises(TypeError):
        Known()[[1, 2]]
    with pytest.raises(TypeError):
        Known()[True]


def test_a_frame_is_read_part_by_part() -> None:
    class Stored:
        """Something that is not an array in memory."""

        values = np.arange(2 * 24).reshape(2, 2, 3, 4)
        shape, dtype = values.shape, values.dtype

        def __getitem__(self, key: Any) -> Any:
            assert isinstance(key, tuple)
            return self.values[key]

    frame = FrameOf(Stored(), 1)
    np.testing.assert_array_equal(frame[:, 1], Stored.values[1][:, 1])
    np.testing.assert_array_equal(frame, Stored.values[1])


@pytest.mark.parametrize('key', [(2,), (slice(None), 3), (..., 4), (...,)])
def test_another_grid_is_read_as_scipy_reads_it(key: Any) -> None:
    rng = np.random.default_rng(1)
    source = rng.random((9, 7, 8)).astype(np.float32)
    matrix = np.eye(4)
    matrix[:3, :3] += rng.normal(0, 0.2, (3, 3))
    matrix[:3, -1] = -0.4, 1.3, 0.7
    expected = affine_transform(
        source,
        matrix[:3, :3],
        matrix[:3, -1],
        SHAPE,
        order=1,
        mode='grid-constant',
    )
    found = OnGrid(source, matrix, SHAPE)[key]
    np.testing.assert_allclose(found, expected[key], atol=1e-5)


def test_far_from_the_other_grid_there_is_nothing() -> None:
    matrix = np.eye(4)
    matrix[:3, -1] = 100
    assert not np.asarray(OnGrid(np.ones((3, 3, 3)), matrix, SHAPE)).any()


def test_labels_keep_their_type_and_values() -> None:
    source = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    matrix = np.eye(4)
    matrix[:3, -1] = 0.4
    found = OnGrid(source, matrix, (3, 3, 3), order=0)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[1], source[1])
