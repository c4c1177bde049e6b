"""A dock follows the viewer while it is open, and only then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow

from napari_adacs.widgets.parts.viewer_dock import ViewerDock


class Listener(ViewerDock):
    """A dock that counts layers and its own calls."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer)
        self.layers_heard = 0
        self.checks = 0
        self.looks = 0
        self._stack(QLabel('one'), QLabel('two'))
        self.attach()

    def _follow(self) -> None:
        self._viewer.layers.events.inserted.connect(self._on_inserted)

    def _unfollow(self) -> None:
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)

    def _check(self) -> None:
        self.checks += 1

    def _look_again(self) -> None:
        self.looks += 1

    def _on_inserted(self, event: Any) -> None:
        self.layers_heard += 1
        self.check_soon()


@pytest.fixture
def dock(qtbot: Any, viewer_model: ViewerModel) -> Listener:
    """A dock on a viewer without a window."""
    widget = Listener(viewer_model)
    qtbot.addWidget(widget)
    return widget


def add(viewer: ViewerModel) -> None:
    viewer.add_image(np.zeros((3, 3)))


def test_it_follows_from_the_start(
    viewer_model: ViewerModel, dock: Listener
) -> None:
    assert dock.attached
    assert dock.checks == 1
    add(viewer_model)
    assert dock.layers_heard == 1


def test_many_changes_are_checked_once(
    qtbot: Any, viewer_model: ViewerModel, dock: Listener
) -> None:
    for _ in range(5):
        add(viewer_model)
    assert dock.checks == 1
    qtbot.waitUntil(lambda: dock.checks == 2)
    qtbot.wait(150)
    assert dock.checks == 2


def test_closed_it_hears_nothing_and_shown_it_does(
    qtbot: Any, viewer_model: ViewerModel, dock: Listener
) -> None:
    dock.show()
    add(viewer_model)
    dock.close()
    assert not dock.attached
    add(viewer_model)
    dock.check_soon()
    qtbot.wait(150)
    assert dock.layers_heard == 1
    assert dock.checks == 1
    assert dock.looks == 1
    dock.show()
    assert dock.attached
    assert dock.checks == 2
    assert dock.looks == 2
    add(viewer_model)
    assert dock.layers_heard == 2


def test_taken_out_of_its_frame_it_lets_go(
    qtbot: Any, viewer_model: ViewerModel, dock: Listener
) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    frame = QDockWidget(window)
    frame.setWidget(dock)
    assert dock.attached
    # what napari's close button does
    dock.setParent(None)
    assert not dock.attached
    frame.setWidget(dock)
    assert dock.attached
    add(viewer_model)
    assert dock.layers_heard == 1
    dock.setParent(None)  # or it would go with the window


def test_letting_go_twice_is_once(dock: Listener) -> None:
    dock.detach()
    dock.detach()
    dock.attach()
    dock.attach()
    assert dock.checks == 2
