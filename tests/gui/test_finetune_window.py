"""The Fine-tune dock in a real window: the way to Register."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from napari.viewer import Viewer

from napari_adacs.models.library import list_models
from napari_adacs.runs.folders import VARIABLE
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


def test_use_in_register_opens_the_dock_with_the_model(
    dock: Any, viewer: Viewer, qtbot: Any
) -> None:
    name = next(e.name for e in list_models(2))
    dock.use_in_register(name)
    register = viewer.window.dock_widgets['Register (napari-adacs)']
    assert register.form.model.value() == name
    dock.use_in_register('no such model')
    assert 'cannot use the model' in dock.message.text()
