"""Messages, the run bar, the scroll area, the garbage collector."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from qtpy.QtWidgets import QLabel, QWidget

from napari_adacs.widgets.parts.collector import FullCollections
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.run_bar import RunBar, RunState
from napari_adacs.widgets.parts.vertical_scroll import VerticalScroll


@pytest.fixture
def bar(qtbot: Any) -> RunBar:
    """A run bar that is ready."""
    widget = RunBar('Go', 'go', 'Goes.')
    qtbot.addWidget(widget)
    widget.set_ready(True)
    return widget


def test_a_message_shows_what_kind_it_is(qtbot: Any) -> None:
    message = Message('note')
    qtbot.addWidget(message)
    assert message.isHidden()
    message.show_text('Well.')
    assert not message.isHidden()
    assert message._icon.isHidden()
    message.show_text('Not well.', Kind.WARNING)
    assert message.text() == 'Not well.'
    assert not message._icon.isHidden()
    assert message._icon.pixmap().width() > 0


def test_the_button_starts_and_then_cancels(bar: RunBar, qtbot: Any) -> None:
    assert bar.button.text() == 'Go'
    with qtbot.waitSignal(bar.start):
        bar.button.click()
    bar.set_state(RunState.RUNNING)
    assert bar.button.text() == 'Cancel'
    assert not bar.progress.isHidden()
    with qtbot.waitSignal(bar.cancel), qtbot.assertNotEmitted(bar.start):
        bar.button.click()


@pytest.mark.parametrize('state', [RunState.CANCELLING, RunState.SHOWING])
def test_there_is_nothing_to_press_in_between(
    bar: RunBar, state: RunState
) -> None:
    bar.set_state(state)
    assert not bar.button.isEnabled()


@pytest.mark.parametrize(
    'state', [RunState.IDLE, RunState.DONE, RunState.FAILED]
)
def test_afterwards_it_can_start_again_if_ready(
    bar: RunBar, state: RunState
) -> None:
    bar.set_state(RunState.RUNNING)
    bar.set_state(state)
    assert bar.button.text() == 'Go'
    assert bar.progress.isHidden()
    assert bar.button.isEnabled()
    bar.set_ready(False)
    assert not bar.button.isEnabled()


def test_progress_says_what_is_done(bar: RunBar) -> None:
    bar.set_state(RunState.RUNNING)
    bar.show_progress(0.25, 'Warping')
    assert bar.progress.value() == 25
    assert bar.progress.text() == 'Warping  25 %'
    bar.set_state(RunState.RUNNING)
    assert bar.progress.value() == 0


def test_the_scroll_area_is_as_wide_as_its_contents(qtbot: Any) -> None:
    label = QLabel('x' * 80)
    label.setMinimumSize(500, 900)
    scroll = VerticalScroll(label)
    qtbot.addWidget(scroll)
    assert scroll.minimumSizeHint().width() >= 500
    assert scroll.minimumSizeHint().height() < 300
    assert scroll.sizeHint().height() >= 900


def test_contents_can_be_any_widget(qtbot: Any) -> None:
    scroll = VerticalScroll(QWidget())
    qtbot.addWidget(scroll)
    assert scroll.minimumSizeHint().isValid()


def test_full_collections_are_put_off_and_come_back() -> None:
    before = gc.get_threshold()
    pause = FullCollections()
    pause.resume()
    assert gc.get_threshold() == before
    pause.put_off()
    pause.put_off()
    try:
        assert gc.get_threshold()[:2] == before[:2]
        assert gc.get_threshold()[2] > 10_000
    finally:
        pause.resume()
    assert gc.get_threshold() == before
