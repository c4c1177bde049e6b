"""The layer picker follows the list and keeps the choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_adacs.widgets.parts.layer_picker import LayerPicker


@pytest.fixture
def viewer(viewer_model: ViewerModel) -> ViewerModel:
    """A viewer with two images and labels between them."""
    viewer_model.add_image(np.zeros((4, 4)), name='first')
    viewer_model.add_labels(np.zeros((4, 4), int), name='labels')
    viewer_model.add_image(np.zeros((4, 4)), name='second')
    return viewer_model


@pytest.fixture
def picker(viewer: ViewerModel, qtbot: Any) -> LayerPicker:
    """A picker of images."""
    widget = LayerPicker(viewer, Image)
    qtbot.addWidget(widget)
    return widget


def _texts(picker: LayerPicker) -> list[str]:
    return [picker.itemText(i) for i in range(picker.count())]


def test_it_lists_its_kind(picker: LayerPicker) -> None:
    assert _texts(picker) == ['first', 'second']


def test_it_follows_adding_and_removing(
    picker: LayerPicker, viewer: ViewerModel
) -> None:
    picker.choose(viewer.layers['second'])
    viewer.add_image(np.zeros((4, 4)), name='third')
    viewer.layers.remove('first')
    assert _texts(picker) == ['second', 'third']
    assert picker.layer() is viewer.layers['second']


def test_it_follows_names(picker: LayerPicker, viewer: ViewerModel) -> None:
    picker.choose(viewer.layers['second'])
    viewer.layers['second'].name = 'ES'
    assert _texts(picker) == ['first', 'ES']
    assert picker.layer() is viewer.layers['ES']


def test_layers_of_one_name_are_told_apart(
    picker: LayerPicker, viewer: ViewerModel
) -> None:
    other = ViewerModel().add_image(np.ones((4, 4)), name='first')
    viewer.layers.append(other)
    picker.choose(other)
    assert picker.layer() is other


def test_losing_the_chosen_layer_is_a_change(
    picker: LayerPicker, viewer: ViewerModel, qtbot: Any
) -> None:
    picker.choose(viewer.layers['second'])
    with qtbot.waitSignal(picker.changed, timeout=1000):
        viewer.layers.remove('second')
    assert picker.layer() is viewer.layers['first']


def test_other_layers_are_no_change(
    picker: LayerPicker, viewer: ViewerModel, qtbot: Any
) -> None:
    with qtbot.assertNotEmitted(picker.changed):
        viewer.add_points(np.zeros((1, 2)))
        viewer.layers.remove('second')


def test_nothing_can_be_a_choice(viewer: ViewerModel, qtbot: Any) -> None:
    picker = LayerPicker(viewer, Labels, nothing='none')
    qtbot.addWidget(picker)
    assert picker.layer() is None
    picker.choose(viewer.layers['labels'])
    assert picker.layer() is viewer.layers['labels']
    viewer.layers.remove('labels')
    assert picker.layer() is None
    assert picker.currentText() == 'none'


def test_an_empty_viewer_offers_nothing(
    viewer_model: ViewerModel, qtbot: Any
) -> None:
    picker = LayerPicker(viewer_model, Image)
    qtbot.addWidget(picker)
    assert picker.layer() is None
    viewer_model.add_image(np.zeros((4, 4)))
    assert picker.layer() is viewer_model.layers[0]


def test_it_can_be_told_to_stop_and_to_go_on(
    picker: LayerPicker, viewer: ViewerModel
) -> None:
    picker.unfollow()
    viewer.add_image(np.zeros((4, 4)), name='third')
    assert _texts(picker) == ['first', 'second']
    picker.follow()
    assert _texts(picker) == ['first', 'second', 'third']
