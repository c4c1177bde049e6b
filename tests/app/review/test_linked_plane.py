"""The planes across the main one move and look with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.result_layers import is_view_layer
from napari_adacs.app.review.linked_plane import LinkedPlane, move_on_click
from napari_adacs.app.review.map_view import MapView
from napari_adacs.app.review.mirror import Mirror
from napari_adacs.app.review.view_switch import ViewSwitch
from napari_adacs.app.session import Run
from tests.app.review.pairs import SHAPE, add_run


@pytest.fixture
def run(viewer_model: ViewerModel) -> Run:
    """A registration with labels."""
    return add_run(viewer_model)


@pytest.fixture(params=['below', 'beside'])
def plane(
    request: Any, viewer_model: ViewerModel, run: Run
) -> Iterator[LinkedPlane]:
    """One of the planes."""
    made = LinkedPlane(viewer_model, request.param, run)
    yield made
    made.close()


def _callbacks(viewer: ViewerModel) -> int:
    groups = [viewer.dims.events, viewer.layers.events]
    groups += [layer.events for layer in viewer.layers]
    groups.append(viewer.scene.camera.events)
    return sum(
        len(emitter.callbacks)
        for group in groups
        for emitter in group.emitters.values()
    )


def _twin(plane: LinkedPlane, name: str) -> Any:
    return plane.model.layers[name]


@pytest.mark.parametrize('order', [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_it_cuts_across_the_main_plane(
    viewer_model: ViewerModel, plane: LinkedPlane, order: tuple[int, ...]
) -> None:
    viewer_model.dims.order = order
    shared = set(plane.model.dims.displayed) & set(order[1:])
    assert plane.model.dims.displayed != viewer_model.dims.displayed
    assert order[0] in plane.model.dims.displayed
    assert len(shared) == 1
    # the axis across, or the axis down, is the same in both
    across = plane.model.dims.displayed[1] == order[2]
    down = plane.model.dims.displayed[0] == order[1]
    assert across != down


def test_positions_are_shared_both_ways(
    viewer_model: ViewerModel, plane: LinkedPlane
) -> None:
    viewer_model.dims.point = (9, 6, 4)
    np.testing.assert_allclose(plane.model.dims.point, (9, 6, 4))
    plane.model.dims.point = (3, 8, 2)
    np.testing.assert_allclose(viewer_model.dims.point, (3, 8, 2))


def test_positions_are_shared_across_units(
    viewer_model: ViewerModel, plane: LinkedPlane
) -> None:
    viewer_model.add_image(
        np.zeros(SHAPE),
        name='fine',
        scale=(3000, 2000, 1000),
        units=('um',) * 3,
        visible=False,
    )
    viewer_model.dims.point = (9000, 6000, 4000)
    np.testing.assert_allclose(plane.model.dims.point, (9, 6, 4))
    plane.model.dims.point = (3, 8, 2)
    np.testing.assert_allclose(viewer_model.dims.point, (3000, 8000, 2000))


def test_time_is_left_to_the_main_viewer(
    viewer_model: ViewerModel, plane: LinkedPlane
) -> None:
    viewer_model.add_image(
        np.zeros((4, *SHAPE)), units=('s', *['mm'] * 3), visible=False
    )
    viewer_model.dims.point = (2, 9, 6, 4)
    np.testing.assert_allclose(plane.model.dims.point, (9, 6, 4))
    plane.model.dims.point = (3, 8, 2)
    np.testing.assert_allclose(viewer_model.dims.point, (2, 3, 8, 2))


def test_what_is_visible_is_mirrored_without_copies(
    viewer_model: ViewerModel, plane: LinkedPlane
) -> None:
    names = {layer.name for layer in plane.model.layers}
    assert {'ED', 'ES'} < names
    assert 'ES labels' not in names
    home = viewer_model.layers['ES']
    assert _twin(plane, 'ES').data is home.data
    home.colormap = 'magma'
    home.contrast_limits = (10, 50)
    assert _twin(plane, 'ES').colormap.name == 'magma'
    assert _twin(plane, 'ES').contrast_limits == [10, 50]
    viewer_model.layers['ES labels'].visible = True
    viewer_model.layers['ED'].visible = False
    assert _twin(plane, 'ES labels').visible
    assert not _twin(plane, 'ED').visible
    points = viewer_model.add_points(np.ones((1, 3)), name='apex')
    points.add((2, 3, 4))
    assert len(_twin(plane, 'apex').data) == 2
    viewer_model.layers.remove('apex')
    assert 'apex' not in plane.model.layers


def test_the_order_of_layers_is_mirrored(viewer_model: ViewerModel) -> None:
    for name in 'abc':
        viewer_model.add_image(np.zeros((4, 5, 6)), name=name)
    model = ViewerModel()
    mirror = Mirror(viewer_model, model)
    viewer_model.layers.move(0, 3)
    assert [x.name for x in model.layers] == ['b', 'c', 'a']
    viewer_model.layers['c'].visible = False
    viewer_model.layers['c'].visible = True
    assert [x.name for x in model.layers] == ['b', 'c', 'a']
    mirror.close()
    assert len(model.layers) == 0


def test_it_shows_the_same_view_and_map(
    viewer_model: ViewerModel, run: Run, plane: LinkedPlane
) -> None:
    views, maps = ViewSwitch(viewer_model), MapView(viewer_model)
    views.set_run(run)
    maps.set_run(run)
    views.show('checkerboard')
    views.set_value('size', 5.0)
    maps.show('score')
    plane.follow(views, maps)
    assert plane.views.name == 'checkerboard'
    assert plane.views.view.values['size'] == 5.0
    assert plane.maps.name == 'score'
    visible = [x.name for x in plane.model.layers if x.visible]
    assert 'ES' not in visible
    assert 'Checkerboard: fixed and warped' in visible
    views.set_value('size', 7.0)
    maps.set_opacity(0.9)
    maps.set_only_suspect(True)
    maps.set_contour(True)
    plane.follow(views, maps)
    assert plane.views.view.values['size'] == 7.0
    assert _twin(plane, 'Map: score').opacity == 0.9
    assert not _twin(plane, 'Map: score').colorbar.visible
    assert plane.maps.only_suspect
    views.compare_with('moving')
    plane.follow(views, maps)
    assert plane.views.other == 'moving'
    views.show(None)
    maps.show(None)
    plane.follow(views, maps)
    assert 'ES' in [x.name for x in plane.model.layers if x.visible]
    assert [x.name for x in plane.model.layers if is_view_layer(x)] == [
        'Planes: position'
    ]


def test_the_crosshair_marks_the_position(
    viewer_model: ViewerModel, plane: LinkedPlane
) -> None:
    viewer_model.dims.point = (9, 6, 4)
    lines = _twin(plane, 'Planes: position')
    for start, way in lines.data:
        (axis,) = np.flatnonzero(way)
        assert axis in plane.model.dims.displayed
        others = [a for a in range(3) if a != axis]
        # 9, 6, 4 mm are voxel 3 along each axis but the last
        np.testing.assert_allclose(start[others], np.array([3, 3, 4])[others])
        assert (start[axis], way[axis]) == (-0.5, SHAPE[axis])


def test_a_click_moves_and_a_drag_does_not(viewer_model: ViewerModel) -> None:
    class Event:
        """What napari tells of the mouse."""

        type, button, modifiers = 'mouse_press', 1, ()
        position = (9.0, 6.0, 4.0)

    viewer_model.add_image(np.zeros((20, 20, 20)))
    before = viewer_model.dims.point
    event = Event()
    drag = move_on_click(viewer_model, event)
    next(drag)
    event.type = 'mouse_move'
    assert next(drag, None) is None
    assert viewer_model.dims.point == before
    event = Event()
    click = move_on_click(viewer_model, event)
    next(click)
    event.type = 'mouse_release'
    assert next(click, None) is None
    assert viewer_model.dims.point == (9, 6, 4)


def test_nothing_stays_connected(viewer_model: ViewerModel, run: Run) -> None:
    before = _callbacks(viewer_model)
    views, maps = ViewSwitch(viewer_model), MapView(viewer_model)
    views.set_run(run)
    maps.set_run(run)
    plane = LinkedPlane(viewer_model, 'below', run)
    views.show('wipe')
    maps.show('score')
    plane.follow(views, maps)
    plane.close()
    assert len(plane.model.layers) == 0
    assert plane._on_click not in plane.model.mouse_drag_callbacks
    views.close()
    maps.close()
    assert _callbacks(viewer_model) == before
