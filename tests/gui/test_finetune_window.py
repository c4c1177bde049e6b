"""The Fine-tune dock in a real window: closing, and the way to Register."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_adacs.models.library import list_models
from napari_adacs.runs.folders import VARIABLE
from napari_adacs.widgets.parts.closing_guard import Answer
from tests.app.pairs import texture
from tests.gui.conftest import Open

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(
    viewer: Viewer,
    open_dock: Open,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Any:
    """A dock as the menu opens it, on one flat pair."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    for seed, name in enumerate(('ED', 'ES')):
        viewer.add_image(texture((32, 32), seed), name=name)
    return open_dock('Fine-tune')


def test_closing_the_window_asks_a_person(
    dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = dock.window()
    window.show()
    qtbot.waitUntil(window.isVisible)
    asked: list[str] = []

    def stay(parent: QWidget, name: str) -> Answer:
        asked.append(name)
        return Answer.STAY

    dock._watch_window()
    assert dock.guard.window is window
    dock.guard.ask = stay
    monkeypatch.setattr(type(dock.runs), 'running', 'a run')
    # what File ▸ Close Window and the button of the window do
    window.close()
    assert asked == ['a run']
    assert window.isVisible()
    dock.guard.ask = lambda parent, name: Answer.GO_ON
    assert window.close()


def test_a_program_that_closes_the_window_is_not_asked(
    dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(parent: QWidget, name: str) -> Answer:
        raise AssertionError('asked')

    window = dock.window()
    window.show()
    qtbot.waitUntil(window.isVisible)
    dock._watch_window()
    dock.guard.ask = refuse
    monkeypatch.setattr(type(dock.runs), 'running', 'a run')
    # what viewer.close() does first
    window.centralWidget().findChild(QWidget).close()
    assert window.close()


def test_use_in_register_opens_the_dock_with_the_model(
    dock: Any, viewer: Viewer, qtbot: Any
) -> None:
    name = next(e.name for e in list_models(2))
    dock.use_in_register(name)
    register = viewer.window.dock_widgets['Register (napari-adacs)']
    assert register.form.model.value() == name
    dock.use_in_register('no such model')
    assert 'cannot use the model' in dock.message.text()
