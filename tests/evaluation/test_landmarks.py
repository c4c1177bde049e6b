"""Landmarks before and after, in millimetres of the world."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.evaluation.landmarks import target_registration_error
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid

TURN = np.array([[0.8, -0.6, 0, 5], [0.6, 0.8, 0, -3], [0, 0, 1, 2]])


def oblique(shape, spacing):
    affine = np.eye(4)
    affine[:3] = TURN
    affine[:3, :3] = affine[:3, :3] @ np.diag(spacing)
    return Grid(shape, affine)


@pytest.fixture
def field():
    """Two voxels along the second axis of an oblique grid."""
    grid = oblique((12, 14, 16), (2.0, 1.5, 1.0))
    voxels = np.zeros((3, *grid.shape), np.float32)
    voxels[1] = 2
    return DisplacementField(voxels, grid)


@pytest.fixture
def fixed_points(field):
    index = np.random.default_rng(0).uniform(3, 8, (20, 3))
    return field.grid.index_to_world(index)


def test_the_true_field_leaves_no_error(field, fixed_points):
    moving = fixed_points + field.grid.direction[:, 1] * 3.0
    found = target_registration_error(moving, fixed_points, field)
    assert len(found) == 20
    assert found.before == pytest.approx(3.0)
    assert found.after == pytest.approx(0, abs=1e-5)
    assert found.improved == 1
    assert not found.outside.any()


def test_an_error_along_another_axis_stays(field, fixed_points):
    step = 3.0 * field.grid.direction[:, 1] + 4.0 * field.grid.direction[:, 0]
    found = target_registration_error(fixed_points + step, fixed_points, field)
    assert found.before == pytest.approx(5.0)
    assert found.after == pytest.approx(4.0, abs=1e-5)


def test_the_moving_image_may_lie_on_another_grid(field, fixed_points):
    other = Grid.from_spacing((30, 31, 32), (0.7, 0.8, 0.9), (-9, -8, -7))
    elsewhere = DisplacementField(field.voxels, field.grid, other)
    moving = fixed_points + field.grid.direction[:, 1] * 3.0
    found = target_registration_error(moving, fixed_points, elsewhere)
    assert found.after == pytest.approx(0, abs=1e-5)


def test_summaries_by_hand():
    fixed = np.zeros((11, 2))
    moving = np.stack([np.arange(11.0), np.zeros(11)], axis=1)
    grid = Grid.from_spacing((20, 20))
    found = target_registration_error(
        moving, fixed, DisplacementField.identity(grid)
    )
    assert found.summary_after.mean == pytest.approx(5)
    assert found.summary_before == found.summary_after
    assert found.worst30 == found.worst30_before == pytest.approx(7)
    assert found.best30 == pytest.approx(3)
    assert found.improved == 0
    assert [r['TRE after'] for r in found.records()] == pytest.approx(
        list(range(11))
    )


def test_without_a_field():
    found = target_registration_error([[0, 0]], [[3, 4]])
    assert found.before == pytest.approx(5)
    assert found.after is found.worst30 is found.best30 is None
    assert found.summary_after is found.improved is None
    assert found.records()[0]['TRE after'] is None


def test_landmarks_outside_are_named(field, fixed_points):
    far = fixed_points.copy()
    far[0] += 1000
    found = target_registration_error(far, far, field)
    assert found.outside.tolist() == [True] + [False] * 19
    assert found.records()[0]['notes'] == 'outside the field'


@pytest.mark.parametrize(
    ('moving', 'fixed', 'message'),
    [
        ([[0, 0]], [[0, 0], [1, 1]], 'paired'),
        ([[0, 0, 0]], [[0, 0]], 'paired'),
        ([[0, np.nan]], [[0, 0]], 'NaN'),
        (np.zeros((0, 2)), np.zeros((0, 2)), 'at least one'),
        ([0, 1], [0, 1], 'list of'),
        (['a'], ['b'], 'numbers'),
    ],
)
def test_refused(moving, fixed, message):
    with pytest.raises(InputError, match=message):
        target_registration_error(moving, fixed)


def test_refused_axes(field):
    with pytest.raises(InputError, match='do not fit'):
        target_registration_error([[0, 0]], [[0, 0]], field)
