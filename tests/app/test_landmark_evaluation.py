"""Landmarks of two Points layers, measured where they lie in the world."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.landmark_evaluation import go_to_point, landmark_table
from napari_adacs.app.layers import grid_of
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.errors import InputError
from tests.app.results import made_up_result

MM = ('mm',) * 3
PLACE: dict[str, Any] = {'scale': (3, 2, 1), 'units': MM}
POINTS = np.array([[4.0, 5, 6], [7, 3, 2], [5, 5, 5]])


def add(viewer: ViewerModel, data: np.ndarray, **options: Any) -> Any:
    return viewer.add_points(data, **{**PLACE, **options})


def run_on(viewer: ViewerModel) -> Run:
    image = viewer.add_image(np.zeros((12, 10, 9)), **PLACE)
    index = np.indices((12, 10, 9)).astype(np.float32)
    voxels = np.stack([0.3 * np.sin(index[d] / 3) + 0.5 for d in range(3)])
    result: Any = made_up_result(grid_of(image), voxels)
    side = LayerRef('x', 'x')
    return Run('g', 'a → b [m]', side, side, result)


def test_before_is_the_distance_in_mm(viewer_model: ViewerModel) -> None:
    shift = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    table = landmark_table(
        add(viewer_model, POINTS + shift), add(viewer_model, POINTS)
    )
    assert table.errors.before == pytest.approx([3, 2, 1])
    assert table.errors.after is None
    assert table.cells()[0] == ('1', '3.00', '–')
    assert table.cells()[-1] == ('mean', '2.00', '–')
    assert 'before registration' in table.sentence()
    assert table.unit == 'mm'


def test_after_goes_through_the_field(viewer_model: ViewerModel) -> None:
    run = run_on(viewer_model)
    pulled = run.result.field.pull_points(POINTS)
    pulled[0] += (0, 0, 1.5)
    table = landmark_table(
        add(viewer_model, pulled), add(viewer_model, POINTS), run
    )
    assert table.errors.after == pytest.approx([1.5, 0, 0], abs=1e-4)
    assert '% came closer' in table.sentence()
    assert table.records()[0]['units'] == 'mm'
    assert 'a → b [m]' in table.about


def test_layers_may_have_their_own_place_and_units(
    viewer_model: ViewerModel,
) -> None:
    fixed = add(viewer_model, POINTS)
    moving = add(
        viewer_model,
        POINTS * (3, 2, 1) * 1000 - 500,
        scale=(1, 1, 1),
        translate=(500, 500, 500),
        units=('um',) * 3,
    )
    table = landmark_table(moving, fixed)
    assert table.errors.before == pytest.approx([0, 0, 0], abs=1e-9)


def test_time_before_space_is_left_out(viewer_model: ViewerModel) -> None:
    run = run_on(viewer_model)
    timed = np.hstack([[[0], [1], [2]], POINTS])
    moving = viewer_model.add_points(
        timed, scale=(1, 3, 2, 1), units=('s', *MM)
    )
    table = landmark_table(moving, add(viewer_model, POINTS), run)
    assert table.errors.before == pytest.approx([0, 0, 0])


def test_names_come_from_the_fixed_points(viewer_model: ViewerModel) -> None:
    named = add(
        viewer_model, POINTS, features={'name': ['apex', 'base', 'septum']}
    )
    table = landmark_table(add(viewer_model, POINTS + 1), named)
    assert [row[0] for row in table.cells()] == [
        'apex', 'base', 'septum', 'mean',
    ]  # fmt: skip
    assert table.records()[1]['landmark'] == 'base'
    assert table.text().splitlines()[1].startswith('apex\t')


def test_what_cannot_be_paired_is_refused(viewer_model: ViewerModel) -> None:
    fixed = add(viewer_model, POINTS)
    with pytest.raises(InputError, match='same layer'):
        landmark_table(fixed, fixed)
    with pytest.raises(InputError, match='same order'):
        landmark_table(add(viewer_model, POINTS[:2]), fixed)
    with pytest.raises(InputError, match='no points'):
        landmark_table(add(viewer_model, np.empty((0, 3))), fixed)
    with pytest.raises(InputError, match='physical size'):
        landmark_table(add(viewer_model, POINTS, units=('pixel',) * 3), fixed)


def test_flat_points_do_not_fit_a_volume(viewer_model: ViewerModel) -> None:
    run = run_on(viewer_model)
    flat = viewer_model.add_points(
        POINTS[:, :2], scale=(2, 1), units=('mm', 'mm')
    )
    with pytest.raises(InputError, match='axes'):
        landmark_table(flat, add(viewer_model, POINTS), run)


def test_going_to_a_point(viewer_model: ViewerModel) -> None:
    viewer_model.add_image(np.zeros((12, 10, 9)), **PLACE)
    layer = add(viewer_model, POINTS)
    go_to_point(viewer_model, layer, 1)
    assert viewer_model.dims.point == pytest.approx((21, 6, 2))
    assert viewer_model.scene.camera.center[1:] == pytest.approx((6, 2))
    go_to_point(viewer_model, layer, 3)  # the mean is no place
    assert viewer_model.dims.point == pytest.approx((21, 6, 2))
