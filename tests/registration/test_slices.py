"""A 2D model on the slices of a stack."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_adacs.errors import ModelError
from napari_adacs.models.header import Preprocessing
from napari_adacs.models.library import load_model
from napari_adacs.models.model import Model
from napari_adacs.registration.about import About
from napari_adacs.registration.choice import choose_for
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.plan import plan_registration
from napari_adacs.registration.register import register_on_grids
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.stack import slice_axis, slices_first

SPACING = (8.0, 1.5, 1.25)
MODEL = 'pyramid-adacs-cine2d'


def slices(shift: int) -> NDArray[np.float32]:
    """Return five slices with a bright ring each, of other brightness."""
    y, x = np.mgrid[:64, :96].astype(np.float32)
    out = []
    for number in range(5):
        radius = np.hypot(y - 32, x - 48 - shift) - 12 - number
        out.append((1 + number) * np.exp(-((radius / 4) ** 2)))
    return np.stack(out).astype(np.float32)


def pair(order: tuple[int, ...] = (0, 1, 2)) -> list[ImageOnGrid]:
    """Return a moving and a fixed stack with axes in some order."""
    images = []
    for name, shift in (('moving', 0), ('fixed', 3)):
        grid = Grid.from_spacing((5, 64, 96), SPACING)
        grid = grid.reordered(order, [1, 1, 1])
        data = np.ascontiguousarray(slices(shift).transpose(order))
        images.append(ImageOnGrid(data, grid, name))
    return images


def registered(
    images: list[ImageOnGrid], model: Model, **options: object
) -> RegistrationResult:
    config = dataclasses.replace(RunConfig(MODEL, 'cpu'), **options)
    return register_on_grids(*images, config, model=model)


@pytest.fixture(scope='module')
def model() -> Model:
    return load_model(MODEL)


class TestStack:
    def test_the_axis_across_the_slices(self):
        for order in ((0, 1, 2), (1, 2, 0), (1, 0, 2)):
            grid = pair(order)[0].grid
            assert slice_axis(grid) == order.index(0)
            assert slices_first(grid).shape[0] == 5

    @pytest.mark.parametrize(
        'grid',
        [
            Grid.from_spacing((20, 20, 20), (2.5, 2.4, 2.1)),
            Grid.from_spacing((5, 20, 20), (1.0, 1.0, 1.0), units='voxel'),
            Grid.from_spacing((20, 20), (8.0, 1.0)),
        ],
        ids=['volume', 'no size', '2D'],
    )
    def test_what_is_no_stack(self, grid):
        assert slice_axis(grid) is None
        assert slices_first(grid) is grid


class TestRegistration:
    def test_each_slice_is_registered_as_if_alone(self, model):
        moving, fixed = pair()
        found = registered([moving, fixed], model)
        assert not found.field.voxels[0].any()
        for number in range(5):
            alone = registered(
                [
                    ImageOnGrid(
                        image.data[number],
                        Grid.from_spacing((64, 96), SPACING[1:]),
                        image.name,
                    )
                    for image in (moving, fixed)
                ],
                model,
            )
            np.testing.assert_allclose(
                found.field.voxels[1:, number], alone.field.voxels, atol=2e-3
            )
            np.testing.assert_allclose(
                found.score[number], alone.score, atol=2e-3
            )
            np.testing.assert_allclose(
                found.variance[number], alone.variance, rtol=0.02, atol=1e-4
            )
        assert (
            found.residual.mean()
            < 0.5 * np.abs(moving.data - fixed.data).mean() / fixed.data.max()
        )

    def test_the_order_of_the_axes_changes_nothing(self, model):
        """The slices may lie along any axis of the array."""
        first = registered(pair(), model)
        order = (1, 2, 0)
        turned = registered(pair(order), model)
        for axis, source in enumerate(order):
            np.testing.assert_allclose(
                turned.field.voxels[axis],
                first.field.voxels[source].transpose(order),
                atol=2e-3,
            )

    def test_large_slices_are_resampled_and_stay_slices(self, model):
        preprocessing = Preprocessing('resize', (32, 48))
        header = dataclasses.replace(model.header, preprocessing=preprocessing)
        small = dataclasses.replace(model, header=header)
        found = registered(pair(), small)
        assert found.field.voxels.shape == (3, 5, 64, 96)
        assert not found.field.voxels[0].any()
        assert np.abs(found.field.voxels[2]).max() > 1

    def test_the_field_has_an_inverse_and_can_be_refined(self, model):
        found = registered(pair(), model, refine_steps=3)
        there_and_back = found.field.inverse().warp_image(found.warped)
        error = np.abs(there_and_back - pair()[0].data).mean()
        assert error < 0.05 * pair()[0].data.mean() + 0.1
        trained = registered(pair(), model, refine_steps=2, refine='network')
        assert trained.field.voxels.shape == (3, 5, 64, 96)


class TestPlan:
    def test_it_says_so(self, model):
        grid = pair((1, 2, 0))[0].grid
        plan = plan_registration(grid, grid, model.header)
        assert 'Its 5 slices are registered one by one' in ' '.join(
            plan.sentences
        )
        assert plan.network_shape[0] == 5

    def test_a_volume_is_refused(self, model):
        grid = Grid.from_spacing((32, 32, 32), 1.0)
        with pytest.raises(ModelError, match='Choose a 3D model'):
            plan_registration(grid, grid, model.header)

    def test_a_3d_model_is_no_model_for_images(self):
        grid = Grid.from_spacing((32, 32), 1.0)
        with pytest.raises(ModelError, match='Choose a 2D model'):
            plan_registration(
                grid, grid, load_model('voxelmorph-adacs-echo3d').header
            )


class TestChoice:
    def test_a_stack_gets_a_2d_model_for_cine(self):
        named = [
            dataclasses.replace(image, about=About('patient001_frame01'))
            for image in pair()
        ]
        for images, why in ((pair(), 'far apart'), (named, 'one by one')):
            chosen = choose_for('auto', *images)
            assert chosen.entry.header.ndim == 2
            assert chosen.entry.is_for('cine')
            assert why in chosen.sentence

    def test_a_volume_does_not(self):
        images = [
            ImageOnGrid(
                np.random.default_rng(0).random((20, 20, 20)),
                Grid.from_spacing((20, 20, 20), 1.0),
                name,
            )
            for name in ('moving', 'fixed')
        ]
        assert choose_for('auto', *images).entry.header.ndim == 3
