"""The list of registrations follows the viewer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app import session
from napari_adacs.app.layer_specs import layer_specs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.spatial.grid import Grid
from napari_adacs.widgets.parts.run_picker import RunPicker
from tests.app.results import made_up_result

GRID = Grid.from_spacing((6, 7), 1.0)


@pytest.fixture(autouse=True)
def _no_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(session, '_RUNS', {})
    return


@pytest.fixture
def picker(qtbot: Any, viewer_model: ViewerModel) -> RunPicker:
    """A picker that follows."""
    widget = RunPicker(viewer_model)
    qtbot.addWidget(widget)
    widget.follow()
    return widget


def register(viewer: ViewerModel, group: str) -> Run:
    result: Any = made_up_result(GRID)
    list(ResultGroup(viewer, group, group).show(layer_specs(result)[0]))
    side = LayerRef('id', 'ED')
    run = Run(group, group, side, side, result)
    session.remember(run)
    return run


def test_without_a_registration_there_is_none(picker: RunPicker) -> None:
    assert picker.count() == 1
    assert picker.run() is None
    assert 'before' in picker.currentText()


def test_a_new_one_is_chosen_and_told_once(
    qtbot: Any, viewer_model: ViewerModel, picker: RunPicker
) -> None:
    told = []
    picker.changed.connect(lambda: told.append(picker.currentData()))
    run = register(viewer_model, 'a')
    qtbot.waitUntil(lambda: picker.run() is run)
    assert told == ['a']
    assert picker.toolTip() == 'a'


def test_the_choice_stays_when_another_goes(
    qtbot: Any, viewer_model: ViewerModel, picker: RunPicker
) -> None:
    register(viewer_model, 'a')
    qtbot.waitUntil(lambda: picker.count() == 2)
    register(viewer_model, 'b')
    qtbot.waitUntil(lambda: picker.count() == 3)
    assert picker.currentData() == 'b'
    picker.choose_key('a')
    ResultGroup(viewer_model, 'b').remove()
    qtbot.waitUntil(lambda: picker.count() == 2)
    assert picker.currentData() == 'a'


def test_layers_of_a_person_are_no_registration(
    qtbot: Any, viewer_model: ViewerModel, picker: RunPicker
) -> None:
    with qtbot.assertNotEmitted(picker.listed, wait=400):
        viewer_model.add_image(np.zeros((3, 3)))


def test_left_alone_it_lists_nothing_new(
    qtbot: Any, viewer_model: ViewerModel, picker: RunPicker
) -> None:
    register(viewer_model, 'a')
    picker.unfollow()
    qtbot.wait(400)
    assert picker.count() == 1
    picker.follow()
    assert picker.count() == 2
