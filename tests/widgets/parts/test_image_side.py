"""Choosing an image: frames, sequences, changes of the layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.layer_specs import layer_specs
from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.spatial.grid import Grid
from napari_adacs.widgets.parts.image_side import ImageSide
from tests.app.pairs import add_cine, add_pair
from tests.app.results import made_up_result


@pytest.fixture
def side(viewer_model: ViewerModel, qtbot: Any) -> ImageSide:
    """The moving side of an empty viewer."""
    widget = ImageSide(viewer_model, 'moving')
    qtbot.addWidget(widget)
    return widget


def test_an_image_has_no_frames(
    side: ImageSide, viewer_model: ViewerModel
) -> None:
    assert side.layer() is None
    assert side.frame() is None
    add_pair(viewer_model)
    assert side.layer() is viewer_model.layers['ED']
    assert side.frame() is None
    assert side.time_box.isHidden()
    assert side._frame_row.isHidden()


def test_a_sequence_has_frames(
    side: ImageSide, viewer_model: ViewerModel
) -> None:
    add_cine(viewer_model, frames=6)
    assert side.frame() == 0
    assert side.frame_box.maximum() == 5
    assert not side._frame_row.isHidden()
    assert side.time_box.isHidden()


def test_the_fixed_side_starts_a_third_into_the_cycle(
    viewer_model: ViewerModel, qtbot: Any
) -> None:
    add_cine(viewer_model, frames=6)
    side = ImageSide(viewer_model, 'fixed')
    qtbot.addWidget(side)
    assert side.frame() == 2


def test_the_current_frame_can_be_used(
    side: ImageSide, viewer_model: ViewerModel, qtbot: Any
) -> None:
    add_cine(viewer_model)
    viewer_model.dims.set_current_step(0, 3)
    with qtbot.waitSignal(side.changed):
        side.current_button.click()
    assert side.frame() == 3


def test_a_stack_without_units_may_be_a_sequence(
    side: ImageSide, viewer_model: ViewerModel, qtbot: Any
) -> None:
    viewer_model.add_image(np.zeros((7, 8, 9)))
    assert not side.time_box.isHidden()
    assert side.frame() is None
    with qtbot.waitSignal(side.changed):
        side.time_box.click()
    assert side.frame() == 0
    assert side.frame_box.maximum() == 6


def test_moving_the_layer_is_a_change(
    side: ImageSide, viewer_model: ViewerModel, qtbot: Any
) -> None:
    add_pair(viewer_model)
    layer = viewer_model.layers['ED']
    for name, value in (
        ('scale', (2, 2, 2)),
        ('translate', (1, 2, 3)),
        ('units', ('um',) * 3),
        ('data', np.zeros((5, 6, 7))),
    ):
        with qtbot.waitSignal(side.changed):
            setattr(layer, name, value)


def test_other_layers_are_no_change(
    side: ImageSide, viewer_model: ViewerModel, qtbot: Any
) -> None:
    add_pair(viewer_model)
    with qtbot.assertNotEmitted(side.changed):
        viewer_model.layers['ES'].scale = (2, 2, 2)
        viewer_model.layers['ED'].visible = False


def test_nothing_is_heard_after_letting_go(
    side: ImageSide, viewer_model: ViewerModel, qtbot: Any
) -> None:
    add_pair(viewer_model)
    side.unfollow()
    with qtbot.assertNotEmitted(side.changed):
        viewer_model.layers['ED'].scale = (2, 2, 2)
        viewer_model.layers.clear()
    add_pair(viewer_model)
    side.follow()
    with qtbot.waitSignal(side.changed):
        viewer_model.layers['ED'].scale = (3, 3, 3)


def test_results_are_not_offered(
    side: ImageSide, viewer_model: ViewerModel
) -> None:
    add_pair(viewer_model)
    fixed = viewer_model.layers['ES']
    result = made_up_result(Grid.from_spacing(fixed.data.shape, 1.0))
    group = ResultGroup(viewer_model, 'a', 'title', layer_kwargs(fixed))
    list(group.show(layer_specs(result)[0]))
    assert side.picker.count() == 2
