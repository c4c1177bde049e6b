"""Grids: indices, millimetres, resizing and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.spatial.grid import Grid


def oblique() -> Grid:
    angle = np.deg2rad(30)
    turn = np.array(
        [
            [np.cos(angle), -np.sin(angle), 0],
            [np.sin(angle), np.cos(angle), 0],
            [0, 0, 1],
        ]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.0, 2.0, 3.0])
    affine[:3, 3] = [5, -6, 7]
    return Grid((8, 9, 10), affine)


def test_index_and_world_are_inverse():
    grid = oblique()
    index = np.array([[0, 0, 0], [1.5, 2, 3], [7, 8, 9]])
    back = grid.world_to_index(grid.index_to_world(index))
    np.testing.assert_allclose(back, index, atol=1e-12)


def test_spacing_is_the_length_of_a_step():
    assert oblique().spacing == pytest.approx((1, 2, 3))


def test_ras_affine_round_trip():
    grid = oblique()
    again = Grid.from_ras(grid.shape, grid.ras_affine)
    np.testing.assert_allclose(again.affine, grid.affine)


def test_ras_flips_the_first_two_world_axes():
    grid = Grid.from_ras((4, 4, 4), np.diag([2.0, 2, 2, 1]))
    world = grid.index_to_world([[1, 1, 1]])
    np.testing.assert_allclose(world, [[-2, -2, 2]])


def test_transposed_grid_has_the_same_places():
    grid = oblique()
    index = np.array([[1, 2, 3]])
    np.testing.assert_allclose(
        grid.transposed().index_to_world(index[:, ::-1]),
        grid.index_to_world(index),
    )


@pytest.mark.parametrize('codes', ['RAS', 'LIA', 'LPS', 'PIR', 'SRA'])
def test_the_order_of_files_is_the_same_for_an_array_and_its_reverse(codes):
    axes = {'R': (0, 1), 'L': (0, -1), 'A': (1, 1), 'P': (1, -1)}
    axes |= {'S': (2, 1), 'I': (2, -1)}
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, code in enumerate(codes):
        row, sense = axes[code]
        affine[row, axis] = 2 * sense
    stored = Grid.from_ras((4, 5, 6), affine)
    found = stored.in_file_order()
    again = stored.transposed().in_file_order()
    np.testing.assert_array_equal(again.affine, found.affine)
    assert again.shape == found.shape
    # brains (LIA) and hearts (RAS, LPS) stay as their files have them
    assert (found.shape == stored.shape) == (codes in ('RAS', 'LIA', 'LPS'))


@pytest.mark.parametrize('shape', [(16, 18, 20), (4, 3, 5), (8, 9, 10)])
def test_resizing_keeps_the_field_of_view(shape):
    grid = oblique()
    resized = grid.resized(shape)
    for corner in (0, 1):
        edge = np.where(corner, grid.shape, 0) - 0.5
        new_edge = np.where(corner, shape, 0) - 0.5
        np.testing.assert_allclose(
            resized.index_to_world([new_edge]), grid.index_to_world([edge])
        )


def test_padding_moves_the_origin():
    padded = oblique().padded([1, 0, 2], [0, 3, 0])
    assert padded.shape == (9, 12, 12)
    np.testing.assert_allclose(
        padded.index_to_world([[1, 0, 2]]),
        oblique().index_to_world([[0, 0, 0]]),
    )


def test_same_space_is_about_voxels():
    grid = oblique()
    moved = grid.affine.copy()
    moved[0, 3] += 1e-5
    assert grid.same_space(Grid(grid.shape, moved))
    moved[0, 3] += 0.5
    assert not grid.same_space(Grid(grid.shape, moved))


@pytest.mark.parametrize(
    ('shape', 'affine', 'message'),
    [
        ((4,), np.eye(2), '2 or 3'),
        ((4, 4, 4, 4), np.eye(5), '2 or 3'),
        ((4, 4), np.eye(4), '3 x 3'),
        ((4, 0), np.eye(3), 'empty'),
        ((4, 4), np.diag([1, np.nan, 1]), 'NaN'),
        ((4, 4), np.diag([1, 0, 1]), 'singular'),
        ((4, 4), [[1, 1, 0], [1, 1, 0], [0, 0, 1]], 'singular'),
    ],
)
def test_impossible_geometry_is_refused(shape, affine, message):
    with pytest.raises(InputError, match=message):
        Grid(shape, affine)


@pytest.mark.parametrize('spacing', [0, -1, np.nan, (1, 2), (1, np.inf, 1)])
def test_impossible_spacing_is_refused(spacing):
    with pytest.raises(InputError):
        Grid.from_spacing((4, 4, 4), spacing)


def test_the_affine_cannot_be_changed():
    with pytest.raises(ValueError, match='read-only'):
        oblique().affine[0, 0] = 2


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize('signs', [(1, 1, 1), (-1, 1, -1), (-1, -1, -1)])
def test_oriented_axes_follow_the_world(order, signs):
    affine = np.eye(4)
    affine[:3, :3] = np.diag(np.multiply(signs, (1.0, 2.0, 3.0)))[:, order]
    affine[:3, 3] = [5, -6, 7]
    grid = Grid((8, 9, 10), affine)
    turned = grid.oriented()
    assert (np.diag(turned.affine)[:3] > 0).all()
    corners = np.array([[0, 0, 0], [7, 8, 9]])
    # The same voxels: every corner is a voxel of both grids.
    index = turned.world_to_index(grid.index_to_world(corners))
    np.testing.assert_allclose(index, index.round(), atol=1e-9)
    assert sorted(turned.shape) == sorted(grid.shape)
    assert (index >= 0).all()
    assert (index <= np.array(turned.shape) - 1).all()
