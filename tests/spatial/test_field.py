"""The displacement field: warping, points, inverse, Jacobian, grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_adacs.errors import InputError
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid


def smooth_field(shape=(24, 28, 20), amount=1.5, grid=None):
    axes = np.meshgrid(
        *[np.linspace(0, np.pi, n) for n in shape], indexing='ij'
    )
    bump = np.prod([np.sin(a) for a in axes], axis=0)
    voxels = np.stack([bump * amount * (-1) ** d for d in range(len(shape))])
    return DisplacementField(
        voxels.astype(np.float32), grid or Grid.from_spacing(shape)
    )


def ball(shape, centre, radius):
    index = np.indices(shape)
    centre = np.reshape(centre, (-1, *([1] * len(shape))))
    return ((index - centre) ** 2).sum(0) <= radius**2


def test_identity_changes_nothing():
    grid = Grid.from_spacing((6, 7))
    image = np.random.default_rng(0).random((6, 7)).astype(np.float32)
    field = DisplacementField.identity(grid)
    np.testing.assert_allclose(field.warp_image(image), image, atol=1e-6)
    np.testing.assert_array_equal(field.jacobian_determinant(), 1)


def test_the_moving_image_is_not_changed():
    image = np.random.default_rng(0).random((24, 28, 20))
    before = image.copy()
    smooth_field().warp_image(image)
    np.testing.assert_array_equal(image, before)


def test_warping_through_another_moving_grid_uses_millimetres():
    fixed = Grid.from_spacing((20, 20), (1.0, 1.0))
    moving = Grid.from_spacing((10, 40), (2.0, 0.5), origin=(0.5, -0.25))
    y, x = np.meshgrid(np.arange(10), np.arange(40), indexing='ij')
    world = moving.index_to_world(np.stack([y, x], -1).reshape(-1, 2))
    image = world.sum(1).reshape(10, 40)  # a ramp in millimetres
    field = DisplacementField(
        np.full((2, 20, 20), 1.0, np.float32), fixed, moving
    )
    warped = field.warp_image(image)
    expected = np.add.outer(np.arange(20), np.arange(20)) + 2.0
    np.testing.assert_allclose(
        warped[2:16, 2:16], expected[2:16, 2:16], atol=1e-4
    )


@pytest.mark.parametrize('method', ['linear', 'nearest'])
def test_labels_keep_their_values_and_type(method):
    labels = np.zeros((24, 28, 20), np.uint16)
    labels[ball(labels.shape, (12, 14, 10), 7)] = 500
    labels[ball(labels.shape, (12, 14, 10), 4)] = 3
    warped = smooth_field().warp_labels(labels, method)
    assert warped.dtype == np.uint16
    assert set(np.unique(warped)) == {0, 3, 500}


def test_linear_labels_cut_a_single_mask_at_one_half():
    mask = ball((24, 28, 20), (12, 14, 10), 6)
    field = smooth_field()
    share = field.warp_image(mask.astype(np.float32))
    warped = field.warp_labels(mask.astype(np.uint8), 'linear')
    np.testing.assert_array_equal(warped == 1, share >= 0.5)


@given(
    st.lists(st.floats(-3, 3), min_size=2, max_size=2),
    st.floats(0.5, 3),
)
def test_translation_of_points_and_back(shift, spacing):
    grid = Grid.from_spacing((16, 18), (spacing, 1.0))
    voxels = np.broadcast_to(
        np.reshape(np.float32(shift), (2, 1, 1)), (2, 16, 18)
    )
    field = DisplacementField(voxels, grid)
    points = np.array([[8.0, 9.0]])
    np.testing.assert_allclose(
        field.pull_points(points), points + shift, atol=1e-4
    )
    np.testing.assert_allclose(
        field.warp_points(points), points - shift, atol=1e-3
    )


def test_points_follow_the_image():
    field = smooth_field()
    moving = np.zeros((24, 28, 20), np.float32)
    moving[ball(moving.shape, (12, 14, 10), 3)] = 1
    warped = field.warp_image(moving)
    weights = warped / warped.sum()
    centre = [(weights * axis).sum() for axis in np.indices(moving.shape)]
    carried = field.warp_points([[12, 14, 10]])[0]
    np.testing.assert_allclose(carried, centre, atol=0.3)


def test_inverse_undoes_the_field():
    field = smooth_field()
    residual = field.compose(field.inverse()).voxels
    assert np.abs(field.voxels).max() > 1
    assert np.abs(residual[:, 2:-2, 2:-2, 2:-2]).max() < 0.05


def test_jacobian_of_a_scaling():
    shape = (10, 12)
    y, x = np.indices(shape).astype(np.float32)
    field = DisplacementField(
        np.stack([0.5 * y, -0.2 * x]), Grid.from_spacing(shape)
    )
    np.testing.assert_allclose(
        field.jacobian_determinant(), 1.5 * 0.8, rtol=1e-5
    )


def test_jacobian_finds_folding():
    voxels = np.zeros((2, 12, 12), np.float32)
    voxels[0, 5] = 3
    voxels[0, 7] = -3
    field = DisplacementField(voxels, Grid.from_spacing((12, 12)))
    assert (field.jacobian_determinant()[6] < 0).all()


def test_millimetres_follow_spacing_and_direction():
    affine = np.array([[0, 2.0, 0], [-3.0, 0, 0], [0, 0, 1]])
    grid = Grid((4, 4), affine)
    voxels = np.zeros((2, 4, 4), np.float32)
    voxels[0] = 1
    field = DisplacementField(voxels, grid)
    np.testing.assert_allclose(field.field_mm[0], 3)
    np.testing.assert_allclose(field.field_world[:, 0, 0], [0, -3])
    np.testing.assert_allclose(field.magnitude_mm, 3)


def test_resampling_to_another_grid_keeps_the_motion_in_millimetres():
    grid = Grid.from_spacing((24, 28, 20), (1.0, 1.5, 2.0))
    field = smooth_field(grid=grid)
    fine = field.to_grid(grid.resized((48, 42, 40)))
    point = grid.index_to_world([[12, 14, 10]])
    coarse_mm = field.field_world[:, 12, 14, 10]
    index = fine.grid.world_to_index(point)[0].round().astype(int)
    np.testing.assert_allclose(
        fine.field_world[(slice(None), *index)], coarse_mm, atol=0.1
    )
    moving = np.random.default_rng(0).random(grid.shape)
    assert fine.warp_image(moving).shape == (48, 42, 40)


@pytest.mark.parametrize(
    'voxels',
    [
        np.zeros((2, 5, 5)),
        np.zeros((3, 4, 4)),
        np.full((2, 4, 4), np.nan),
    ],
)
def test_fields_that_do_not_fit_are_refused(voxels):
    with pytest.raises(InputError):
        DisplacementField(voxels, Grid.from_spacing((4, 4)))


def test_an_image_of_another_shape_is_refused():
    with pytest.raises(InputError, match='cannot be warped'):
        smooth_field().warp_image(np.zeros((3, 3, 3)))


def test_grids_of_different_dimension_are_refused():
    with pytest.raises(InputError, match='2D'):
        DisplacementField(
            np.zeros((2, 4, 4)),
            Grid.from_spacing((4, 4)),
            Grid.from_spacing((4, 4, 4)),
        )
