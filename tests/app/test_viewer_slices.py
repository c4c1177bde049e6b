"""Viewer slices and voxel slices, in any axis order, unit and place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.layers import grid_of
from napari_adacs.app.viewer_slices import ViewerSlices

MM = ('mm',) * 3


def add(viewer: ViewerModel, shape: Any = (6, 7, 8), **options: Any) -> Any:
    return viewer.add_labels(np.zeros(shape, int), **options)


def napari_slice(layer: Any, axis: int) -> float:
    """Return the index at which napari itself cuts a layer."""
    return float(layer._data_slice.point[axis])


PLACES: dict[str, dict[str, Any]] = {
    'plain': {},
    'mm': {'scale': (3, 2, 1), 'translate': (10, -4, 2), 'units': MM},
    'micrometres': {'scale': (3, 2, 1), 'units': ('um',) * 3},
    'flipped': {
        'affine': np.diag([-2.0, 1, 1, 1]),
        'translate': (3, 0, 0),
        'units': MM,
    },
}


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('order', [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_it_follows_and_leads(
    viewer_model: ViewerModel, place: str, order: tuple[int, ...]
) -> None:
    layer = add(viewer_model, **PLACES[place])
    viewer_model.dims.order = order
    slices = ViewerSlices(viewer_model, grid_of(layer))
    axis = slices.axis
    assert axis == order[0]
    for index in (0, 4, layer.data.shape[axis] - 1):
        slices.go_to(axis, index)
        assert slices.index(axis) == pytest.approx(index)
        assert napari_slice(layer, axis) == pytest.approx(index)


def test_other_layers_may_have_other_units(viewer_model: ViewerModel) -> None:
    layer = add(viewer_model, scale=(3, 2, 1), units=MM)
    add(viewer_model, (9, 9, 9), scale=(900, 900, 900), units=('um',) * 3)
    slices = ViewerSlices(viewer_model, grid_of(layer))
    slices.go_to(0, 5)
    assert slices.index(0) == pytest.approx(5)
    assert napari_slice(layer, 0) == pytest.approx(5)


def test_a_tilted_layer_is_cut_as_napari_cuts_it(
    viewer_model: ViewerModel,
) -> None:
    angle = np.deg2rad(20)
    affine = np.eye(4)
    affine[:2, :2] = [
        [np.cos(angle), -np.sin(angle)],
        [np.sin(angle), np.cos(angle)],
    ]
    with pytest.warns(UserWarning, match='orthogonal'):
        layer = add(viewer_model, affine=affine, scale=(2, 1, 1), units=MM)
        slices = ViewerSlices(viewer_model, grid_of(layer))
        slices.go_to(0, 4)
        assert slices.index(0) == pytest.approx(4)
        assert napari_slice(layer, 0) == pytest.approx(4)


def test_time_before_space_is_no_axis(viewer_model: ViewerModel) -> None:
    layer = add(viewer_model, (3, 6, 7, 8), scale=(1, 3, 2, 1))
    slices = ViewerSlices(viewer_model, grid_of(layer, 0))
    assert slices.axis == 0
    viewer_model.dims.set_point(0, 2)
    slices.go_to(0, 4)
    assert slices.index(0) == pytest.approx(4)
    assert viewer_model.dims.point[:2] == pytest.approx((2, 12))


def test_of_two_sliders_the_last_one_counts(viewer_model: ViewerModel) -> None:
    """Time and x shown, z and y scrolled."""
    layer = add(viewer_model, (3, 6, 7, 8))
    slices = ViewerSlices(viewer_model, grid_of(layer, 0))
    viewer_model.dims.order = (1, 2, 0, 3)
    viewer_model.dims.last_used = 2
    assert slices.axis == 1
    slices.go_to(1, 5)
    assert slices.index(1) == pytest.approx(5)
    viewer_model.dims.last_used = 1
    assert slices.axis == 0


def test_in_3d_it_is_the_axis_of_2d(viewer_model: ViewerModel) -> None:
    layer = add(viewer_model)
    viewer_model.dims.order = (2, 0, 1)
    viewer_model.dims.ndisplay = 3
    slices = ViewerSlices(viewer_model, grid_of(layer))
    assert slices.axis == 2
    slices.go_to(2, 6)
    assert slices.index(2) == pytest.approx(6)
