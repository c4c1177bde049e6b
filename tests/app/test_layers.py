"""Layers to grids and back: units, affine, frames, lazy data."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_adacs.app.layers import (
    current_frame,
    grid_of,
    image_of,
    is_sequence,
    layer_kwargs,
    may_be_frames,
)
from napari_adacs.errors import InputError
from napari_adacs.spatial.grid import Grid

# Oblique layers make napari say that slices are shown without their tilt.
pytestmark = pytest.mark.filterwarnings('ignore:Non-orthogonal:UserWarning')

SHAPE = (4, 5, 6)
MM = ('mm',) * 3


def _image(shape: tuple[int, ...] = SHAPE, **options: Any) -> Image:
    return Image(np.zeros(shape, np.float32), **options)


def _cine(**options: Any) -> Image:
    default = {
        'scale': (0.04, 3, 2, 1),
        'translate': (7, 30, 20, 10),
        'units': ('s', *MM),
        'axis_labels': ('t', 'z', 'y', 'x'),
    }
    return _image((3, *SHAPE), **{**default, **options})


class TestGridOf:
    def test_scale_and_translate_become_lps_axes(self) -> None:
        layer = _image(scale=(3, 2, 1), translate=(30, 20, 10), units=MM)
        grid = grid_of(layer)
        assert grid.shape == SHAPE
        assert grid.units == 'mm'
        assert grid.spacing == (3, 2, 1)
        # napari's world is (z, y, x), the grid's (x, y, z)
        np.testing.assert_allclose(grid.origin, (10, 20, 30))
        np.testing.assert_allclose(
            grid.index_to_world([1, 0, 0]), [[10, 20, 33]]
        )

    @pytest.mark.parametrize(
        ('unit', 'factor'), [('um', 1e-3), ('mm', 1), ('cm', 10), ('m', 1e3)]
    )
    def test_every_length_becomes_mm(self, unit: str, factor: float) -> None:
        layer = _image(scale=(3, 2, 1), units=(unit,) * 3)
        np.testing.assert_allclose(
            grid_of(layer).spacing, np.array((3, 2, 1)) * factor
        )

    def test_axes_may_have_different_lengths(self) -> None:
        layer = _image(scale=(3, 2000, 1), units=('mm', 'um', 'mm'))
        np.testing.assert_allclose(grid_of(layer).spacing, (3, 2, 1))

    def test_pixels_stay_voxels(self) -> None:
        grid = grid_of(_image(scale=(3, 2, 1)))
        assert grid.units == 'voxel'
        assert grid.spacing == (3, 2, 1)

    def test_a_length_beside_pixels_is_refused(self) -> None:
        with pytest.raises(InputError, match='different kinds of units'):
            grid_of(_image(units=('pixel', 'mm', 'mm')))

    def test_rotation_shear_and_affine_count(self) -> None:
        affine = np.eye(4)
        affine[:3, 3] = (1, 2, 3)
        affine[0, 1] = 0.2
        layer = _image(
            scale=(3, 2, 1),
            rotate=(10, 20, 30),
            shear=(0.1, 0, 0.2),
            translate=(4, 5, 6),
            affine=affine,
            units=MM,
        )
        grid = grid_of(layer)
        for index in ((0, 0, 0), (3, 4, 5), (1, 0, 2)):
            np.testing.assert_allclose(
                grid.index_to_world(index)[0], layer.data_to_world(index)[::-1]
            )

    def test_2d(self) -> None:
        layer = _image((5, 6), scale=(2, 1), units=('mm', 'mm'))
        assert grid_of(layer).spacing == (2, 1)

    def test_labels(self) -> None:
        layer = Labels(np.zeros(SHAPE, int), scale=(3, 2, 1), units=MM)
        assert grid_of(layer).spacing == (3, 2, 1)

    def test_multiscale_takes_the_finest_level(self) -> None:
        levels = [np.zeros((8, 8), np.float32), np.zeros((4, 4), np.float32)]
        layer = Image(levels, multiscale=True, scale=(2, 2))
        assert grid_of(layer).shape == (8, 8)
        assert grid_of(layer).spacing == (2, 2)
        assert image_of(layer).load().data.shape == (8, 8)

    def test_a_useless_scale_is_refused(self) -> None:
        with pytest.raises(InputError):
            grid_of(_image(scale=(np.nan, 1, 1)))

    def test_five_axes_are_refused(self) -> None:
        with pytest.raises(InputError, match='5 axes'):
            grid_of(_image((2, 3, 4, 5, 6)))


class TestSequences:
    def test_4d_is_one(self) -> None:
        assert is_sequence(_image((2, *SHAPE)))

    @pytest.mark.parametrize(
        'options',
        [{'units': ('ms', 'mm', 'mm')}, {'axis_labels': ('Time', 'y', 'x')}],
    )
    def test_3d_with_time_is_one(self, options: dict[str, Any]) -> None:
        assert is_sequence(_image(**options))

    def test_a_volume_is_none_and_cannot_be(self) -> None:
        layer = _image(units=MM)
        assert not is_sequence(layer)
        assert not may_be_frames(layer)

    def test_a_stack_of_pixels_may_be_one(self) -> None:
        layer = _image()
        assert not is_sequence(layer)
        assert may_be_frames(layer)
        assert grid_of(layer, 1).shape == SHAPE[1:]

    def test_the_grid_leaves_time_out(self) -> None:
        grid = grid_of(_cine(), 1)
        assert grid.shape == SHAPE
        assert grid.spacing == (3, 2, 1)
        np.testing.assert_allclose(grid.origin, (10, 20, 30))

    def test_a_frame_must_be_chosen(self) -> None:
        with pytest.raises(InputError, match='sequence of 3 frames'):
            grid_of(_cine())

    @pytest.mark.parametrize('frame', [-1, 3])
    def test_a_frame_must_exist(self, frame: int) -> None:
        with pytest.raises(InputError, match=f'no frame {frame}'):
            grid_of(_cine(), frame)

    def test_time_must_come_first(self) -> None:
        layer = _cine(axis_labels=('z', 't', 'y', 'x'))
        with pytest.raises(InputError, match='not the first axis'):
            grid_of(layer, 0)

    def test_time_must_not_mix_with_space(self) -> None:
        affine = np.eye(5)
        affine[1, 0] = 0.5
        with pytest.raises(InputError, match='mixes time and space'):
            grid_of(_cine(affine=affine), 0)


class TestImageOf:
    def test_a_frame_is_read(self) -> None:
        data = np.arange(2 * 3 * 4).reshape(2, 3, 4)
        layer = Image(data, axis_labels=('t', 'y', 'x'))
        image = image_of(layer, 1, 'moving').load()
        np.testing.assert_array_equal(image.data, data[1])
        assert image.name == 'moving'
        assert image.grid.shape == (3, 4)

    def test_nothing_is_computed_before_loading(self) -> None:
        computed = []

        def block(part: np.ndarray) -> np.ndarray:
            computed.append(part.shape)
            return part

        lazy = da.zeros((3, 8, 8), chunks=(1, 8, 8)).map_blocks(
            block, dtype=float, meta=np.zeros((1, 1, 1))
        )
        layer = Image(
            lazy, axis_labels=('t', 'y', 'x'), contrast_limits=(0, 1)
        )
        computed.clear()  # napari itself has looked at a slice
        image = image_of(layer, 2)
        assert computed == []
        assert isinstance(image.load().data, np.ndarray)
        assert len(computed) == 1

    def test_colour_is_refused(self) -> None:
        layer = Image(np.zeros((8, 8, 3), np.uint8), rgb=True)
        with pytest.raises(InputError, match='colour'):
            image_of(layer)


class TestLayerKwargs:
    def test_a_layer_like_another_lies_on_it(self) -> None:
        affine = np.eye(4)
        affine[0, 1] = 0.2
        layer = _image(
            scale=(3, 2, 1),
            rotate=(10, 20, 30),
            shear=(0.1, 0, 0.2),
            translate=(4, 5, 6),
            affine=affine,
            units=('um',) * 3,
            axis_labels=('z', 'y', 'x'),
        )
        same = _image(**layer_kwargs(layer))
        np.testing.assert_allclose(grid_of(same).affine, grid_of(layer).affine)
        assert same.units == layer.units
        assert same.axis_labels == layer.axis_labels

    def test_a_frame_of_a_sequence(self) -> None:
        affine = np.eye(5)
        affine[1:4, 1:4] = [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]
        cine = _cine(affine=affine)
        frame = _image(**layer_kwargs(cine, ndim=3))
        np.testing.assert_allclose(
            grid_of(frame).affine, grid_of(cine, 0).affine
        )
        assert frame.axis_labels == ('z', 'y', 'x')

    def test_an_upright_grid_needs_no_affine(self) -> None:
        affine = np.diag([1.0, 2, 3, 1])[:, [2, 1, 0, 3]]
        affine[:3, 3] = (10, 20, 30)
        grid = Grid(SHAPE, affine)
        options = layer_kwargs(grid)
        assert 'affine' not in options
        np.testing.assert_allclose(options['scale'], (3, 2, 1))
        np.testing.assert_allclose(options['translate'], (30, 20, 10))
        assert options['axis_labels'] == ('z', 'y', 'x')

    def test_the_noise_of_a_header_is_no_tilt(self) -> None:
        affine = np.diag([1.0, 2, 3, 1])[:, [2, 1, 0, 3]]
        affine[:3, :3] += 1e-7
        assert 'affine' not in layer_kwargs(Grid(SHAPE, affine))
        affine[:3, :3] += 1e-3
        assert 'affine' in layer_kwargs(Grid(SHAPE, affine))

    def test_a_grid_without_size_stays_in_pixels(self) -> None:
        grid = Grid((5, 6), np.eye(3)[:, [1, 0, 2]], 'voxel')
        layer = _image((5, 6), **layer_kwargs(grid))
        assert grid_of(layer).units == 'voxel'
        assert grid_of(layer).same_space(grid)

    @settings(max_examples=25)
    @given(
        st.lists(st.floats(-1, 1), min_size=9, max_size=9),
        st.lists(st.floats(-50, 50), min_size=3, max_size=3),
    )
    def test_any_grid_survives_the_trip(
        self, tilt: list[float], origin: list[float]
    ) -> None:
        affine = np.eye(4)
        linear = np.diag([3.0, -3, 3]) + np.reshape(tilt, (3, 3))
        affine[:3, :3], affine[:3, 3] = linear[::-1], origin
        grid = Grid(SHAPE, affine)
        there = grid_of(_image(**layer_kwargs(grid)))
        np.testing.assert_allclose(there.affine, affine, atol=1e-4)


class TestCurrentFrame:
    def test_it_follows_the_slider(self, viewer_model: ViewerModel) -> None:
        cine = viewer_model.add_layer(_cine())
        viewer_model.dims.set_current_step(0, 2)
        assert current_frame(viewer_model, cine) == 2

    def test_it_knows_that_sliders_have_shared_units(
        self, viewer_model: ViewerModel
    ) -> None:
        cine = viewer_model.add_layer(_cine())
        viewer_model.add_layer(
            _cine(units=('ms', 'um', 'um', 'um'), scale=(20, 1, 1, 1))
        )
        assert viewer_model.layers.units is not None
        shared = str(viewer_model.layers.units[0])
        factor = {'millisecond': 1000, 'second': 1}[shared]
        viewer_model.dims.set_point(0, (7 + 2 * 0.04) * factor)
        assert current_frame(viewer_model, cine) == 2

    def test_it_stays_within_the_sequence(
        self, viewer_model: ViewerModel
    ) -> None:
        cine = viewer_model.add_layer(_cine())
        longer = _image((9, *SHAPE), scale=(0.04, 3, 2, 1))
        longer.units, longer.translate = cine.units, cine.translate
        viewer_model.add_layer(longer)
        viewer_model.dims.set_current_step(0, 8)
        assert current_frame(viewer_model, cine) == 2
