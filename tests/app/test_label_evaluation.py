"""Labels on any grids are compared where they are in the world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_adacs.app.label_evaluation import (
    check_labels,
    check_place,
    check_same_labels,
    evaluate_on_grids,
    on_labels,
    onto_moving,
)
from napari_adacs.errors import InputError
from napari_adacs.evaluation.report import evaluate
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid

FIXED = Grid.from_spacing((20, 22, 24), (1.0, 1.2, 0.9))
# the same world, seen by other voxels with the axes the other way round
OTHER = Grid.from_spacing(
    (40, 30, 26), (0.6, 0.9, 0.9), (-1.0, -0.5, -1.2)
).transposed()
CENTRE = np.array([10.0, 13.0, 11.0])


def ball(grid: Grid, radius: float, shift: float = 0.0) -> np.ndarray:
    """Return a ball in the world, moved along x."""
    index = np.stack(np.indices(grid.shape), -1).reshape(-1, grid.ndim)
    world = grid.index_to_world(index)
    offset = world - CENTRE - np.array([shift, 0, 0])
    inside: np.ndarray = np.linalg.norm(offset, axis=1) < radius
    return inside.reshape(grid.shape).astype(np.uint8)


def labels(
    grid: Grid, radius: float = 6, shift: float = 0, name: str = 'labels'
) -> ImageOnGrid:
    return ImageOnGrid(ball(grid, radius, shift), grid, name)


def shifting(grid: Grid, millimetres: float) -> DisplacementField:
    """Return the field that reads at x + millimetres."""
    world = np.zeros((3, *grid.shape))
    world[0] = millimetres
    inverse = np.linalg.inv(grid.affine[:-1, :-1])
    return DisplacementField(np.tensordot(inverse, world, 1), grid)


@pytest.mark.parametrize('moving_grid', [FIXED, OTHER])
@pytest.mark.parametrize('field_grid', [FIXED, OTHER])
def test_three_grids_meet_in_the_world(
    moving_grid: Grid, field_grid: Grid
) -> None:
    """Moving labels lie 2 mm further along x; the field knows."""
    moving = labels(moving_grid, shift=2, name='moving labels')
    fixed = labels(FIXED, name='fixed labels')
    field = shifting(field_grid, 2)
    found = evaluate_on_grids(moving, fixed, field)
    mean = found.evaluation.mean
    assert found.warped is not None
    assert found.warped.shape == FIXED.shape
    assert mean.dsc_before is not None and mean.dsc_before < 0.8
    assert mean.dsc_after is not None and mean.dsc_after > 0.93
    assert mean.hd_after is not None and mean.hd_after < 1.6
    assert found.evaluation.units == 'mm'
    assert found.evaluation.spacing == pytest.approx(FIXED.spacing)


def test_on_one_grid_it_is_evaluate() -> None:
    moving, fixed = labels(FIXED, shift=2), labels(FIXED)
    field = shifting(FIXED, 1.5)
    found = evaluate_on_grids(moving, fixed, field).evaluation
    assert (
        found.records() == evaluate(moving.data, fixed.data, field).records()
    )


def test_the_given_field_is_not_changed() -> None:
    field = shifting(FIXED, 2)
    before = field.voxels.copy()
    on_labels(field, labels(OTHER), labels(FIXED))
    assert field.moving_grid is None
    assert np.array_equal(field.voxels, before)


def test_a_field_finds_the_moving_grid_it_had_not_known() -> None:
    field = onto_moving(shifting(FIXED, 0), labels(OTHER))
    assert field.moving_grid is OTHER
    back = onto_moving(field, labels(FIXED))
    assert back.moving_grid is None


def test_without_voxel_size_shapes_must_agree() -> None:
    voxels = replace(FIXED, units='voxel')
    image = labels(FIXED, name='fixed labels')
    same = ImageOnGrid(image.data, voxels, 'moving labels')
    found = evaluate_on_grids(same, image, shifting(FIXED, 0))
    assert found.evaluation.mean.dsc_after == 1
    assert found.evaluation.units == 'mm'
    other = ImageOnGrid(
        image.data[1:], Grid.from_spacing((19, 22, 24), units='voxel'), 'x'
    )
    with pytest.raises(InputError, match='voxel size'):
        evaluate_on_grids(other, image)
    with pytest.raises(InputError, match='voxel size'):
        onto_moving(shifting(FIXED, 0), other)


def test_places_and_axes_are_checked() -> None:
    far = Grid.from_spacing(FIXED.shape, 1.0, (500, 0, 0))
    plane = Grid.from_spacing((20, 22))
    here = labels(FIXED, name='fixed labels')
    there = ImageOnGrid(here.data, far, 'moving labels')
    flat = ImageOnGrid(here.data[:, :, 0], plane, 'moving labels')
    with pytest.raises(InputError, match='different places'):
        check_place(there, here)
    with pytest.raises(InputError, match='2 axes, the fixed labels 3'):
        check_place(flat, here)
    with pytest.raises(InputError, match='different places'):
        onto_moving(shifting(FIXED, 0), there)
    with pytest.raises(InputError, match='3D displacement'):
        onto_moving(shifting(FIXED, 0), flat)
    with pytest.raises(InputError, match='different places'):
        on_labels(shifting(far, 0), here, here)


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        (np.zeros((4, 4), np.uint8), 'are empty'),
        (np.full((4, 4), -1), 'no segmentation'),
        (np.full((4, 4), 0.5), 'no segmentation'),
        (np.arange(400).reshape(20, 20), '400 different values'),
    ],
)
def test_what_is_no_segmentation(values: np.ndarray, words: str) -> None:
    grid = Grid.from_spacing(values.shape)
    with pytest.raises(InputError, match=words):
        check_labels(ImageOnGrid(values, grid, 'moving labels'))


def test_labels_of_one_side_only_are_named() -> None:
    grid = Grid.from_spacing((1, 4))
    first = ImageOnGrid(np.array([[1, 2, 3, 4]]), grid, 'moving labels')
    second = ImageOnGrid(np.array([[0, 2, 0, 0]]), grid, 'fixed labels')
    with pytest.raises(InputError) as caught:
        check_same_labels(first, second, None, '--compare')
    assert str(caught.value) == (
        'Labels 1, 3 and 4 are missing in the fixed labels. '
        'Compare the others with --compare 2.'
    )
    check_same_labels(first, second, [1, 2], '--compare')
    check_same_labels(first, first, None, '--compare')
