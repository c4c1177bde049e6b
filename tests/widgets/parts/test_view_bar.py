"""The view bar: buttons, keys, options, maps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QAbstractButton, QComboBox, QWidget

from napari_adacs.app.result_layers import is_view_layer
from napari_adacs.app.review.keys import KeySet
from napari_adacs.app.review.views.registry import VIEWS
from napari_adacs.app.session import Run
from napari_adacs.widgets.parts.view_bar import ViewBar
from tests.app.review.pairs import add_run, state


@pytest.fixture
def run(viewer_model: ViewerModel) -> Run:
    """A registration with labels."""
    return add_run(viewer_model)


@pytest.fixture
def bar(
    qtbot: QtBot, viewer_model: ViewerModel, run: Run
) -> Iterator[ViewBar]:
    """Its view bar."""
    made = ViewBar(viewer_model)
    qtbot.addWidget(made)
    made.set_run(run)
    yield made
    made.close_views()


def _press(viewer: ViewerModel, key: str) -> None:
    function = viewer.bind_key(key, None)
    viewer.bind_key(key, function)
    function(viewer)


def _shown(viewer: ViewerModel) -> set[str]:
    return {x.name for x in viewer.layers if is_view_layer(x) and x.visible}


@pytest.mark.parametrize('name', VIEWS)
def test_a_button_shows_a_view_and_leaves_it(
    viewer_model: ViewerModel, bar: ViewBar, name: str
) -> None:
    before = state(viewer_model)
    bar.buttons[name].click()
    assert bar.switch.name == name
    checked = [n for n, button in bar.buttons.items() if button.isChecked()]
    assert checked == [name]
    assert bar.labels.isVisibleTo(bar) == (name == 'contours')
    bar.buttons[name].click()
    assert not bar.buttons[name].isChecked()
    assert state(viewer_model) == before


def test_keys_do_what_the_buttons_do(
    viewer_model: ViewerModel, bar: ViewBar
) -> None:
    before, keymap = state(viewer_model), dict(viewer_model.keymap)
    keys = KeySet(viewer_model)
    keys.add('Views', bar.KEYS)
    keys.bind()
    for i, name in enumerate(VIEWS, 1):
        _press(viewer_model, f'Alt-{i}')
        assert bar.switch.name == name
    _press(viewer_model, 'Alt-3')
    size = bar.switch.view.values['size']
    _press(viewer_model, 'Alt-Right')
    assert bar.switch.view.values['size'] > size
    _press(viewer_model, 'Alt-B')
    assert bar.switch.other == 'moving'
    _press(viewer_model, 'Alt-0')
    assert bar.switch.name is None
    _press(viewer_model, 'Alt-M')
    assert bar.maps.maps.name == 'score'
    _press(viewer_model, 'Alt-T')
    assert 'Map: score, threshold' in _shown(viewer_model)
    bar.close_views()
    keys.unbind()
    assert state(viewer_model) == before
    assert viewer_model.keymap == keymap


def test_options_are_set_by_hand(bar: ViewBar) -> None:
    bar.buttons['wipe'].click()
    position = bar.rows.input('position')
    position.box.setValue(25)
    assert position.slider.value() == 50
    assert bar.switch.view.values['position'] == 25
    direction = bar.rows.input('direction')
    direction.setCurrentIndex(1)
    assert bar.switch.view.values['direction'] == 1
    assert 'above: fixed' in bar.legend.text()


def test_dragging_the_line_moves_the_slider(
    viewer_model: ViewerModel, bar: ViewBar
) -> None:
    class Event:
        """What napari tells of the mouse."""

        button, is_dragging = 1, False

        def __init__(self, kind: str, column: float) -> None:
            self.type = kind
            self.position = (6.0, 4.0, column)

    bar.buttons['wipe'].click()
    camera = viewer_model.scene.camera
    camera.zoom = 10
    hover = viewer_model.mouse_move_callbacks[-1]
    drag = viewer_model.mouse_drag_callbacks[-1]
    hover(viewer_model, Event('mouse_move', 5.6))
    assert not camera.mouse_pan
    hover(viewer_model, Event('mouse_move', 1.0))
    assert camera.mouse_pan
    event = Event('mouse_press', 5.6)
    moving = drag(viewer_model, event)
    next(moving)
    event.type, event.position = 'mouse_move', (6.0, 4.0, 2.5)
    next(moving)
    assert bar.rows.input('position').value() == 25
    assert bar.switch.view.handle() == (2, 2.5)
    event.type = 'mouse_release'
    assert next(moving, None) is None
    assert camera.mouse_pan
    # away from the line the mouse is napari's
    assert list(drag(viewer_model, Event('mouse_press', 9.0))) == []
    bar.close_views()
    assert hover not in viewer_model.mouse_move_callbacks
    assert drag not in viewer_model.mouse_drag_callbacks


def test_blinking_runs_while_the_view_is_on(
    qtbot: QtBot, viewer_model: ViewerModel, bar: ViewBar
) -> None:
    bar.buttons['blink'].click()
    bar.rows.input('speed').box.setValue(3)
    first = _shown(viewer_model)
    qtbot.waitUntil(lambda: _shown(viewer_model) != first, timeout=5000)
    bar.buttons['blink'].click()
    assert not bar._timer.isActive()


def test_the_map_panel_says_what_there_is(
    viewer_model: ViewerModel, bar: ViewBar
) -> None:
    panel = bar.maps
    assert panel.combo.count() == 7
    panel.combo.setCurrentIndex(panel.combo.findData('score'))
    assert not panel.legend.isHidden()
    assert 'score, 0 to 1' in panel.legend.toolTip()
    panel.threshold.box.setValue(0.6)
    assert panel.maps.threshold == 0.6
    assert panel.share.text().endswith('% of this slice is below it.')
    panel.opacity.box.setValue(30)
    assert viewer_model.layers['Map: score'].opacity == 0.3
    panel.only.setChecked(True)
    panel.combo.setCurrentIndex(0)
    assert not panel._details.isVisibleTo(panel)
    assert panel.only.isChecked()


def test_without_a_registration_nothing_can_be_pressed(bar: ViewBar) -> None:
    bar.buttons['overlay'].click()
    bar.set_run(None)
    assert not bar.isEnabled()
    assert bar.switch.name is None
    assert bar.maps.combo.count() == 1


def test_everything_has_a_tooltip(bar: ViewBar) -> None:
    for name in VIEWS:
        bar.switch.show(name)
        bar.maps.combo.setCurrentIndex(1)
        inputs = bar.findChildren(QWidget)
        for widget in inputs:
            if isinstance(widget, QAbstractButton | QComboBox):
                assert widget.toolTip(), widget.objectName()
