"""A real napari window with this plugin and small models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.viewer import Viewer
from npe2 import PluginManifest
from npe2._pytest_plugin import TestPluginManager
from qtpy.QtWidgets import QWidget

import napari_adacs
from napari_adacs.app import session
from napari_adacs.models.library import FOLDER_VARIABLE
from tests.small_models import save_small_model

MANIFEST = Path(napari_adacs.__file__).with_name('napari.yaml')

Open = Callable[[str], Any]


@pytest.fixture(scope='session')
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model for 2D and one for 3D."""
    folder = tmp_path_factory.mktemp('models')
    for ndim in (2, 3):
        save_small_model(folder, ndim)
    return folder


@pytest.fixture
def viewer(
    model_folder: Path,
    npe2pm: TestPluginManager,
    make_napari_viewer_proxy: Callable[[], Viewer],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Viewer]:
    """A viewer that knows no plugin but this one."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(model_folder))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', model_folder / 'none'
    )
    monkeypatch.setattr(session, '_RUNS', {})
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    return make_napari_viewer_proxy()


@pytest.fixture
def open_dock(viewer: Viewer) -> Open:
    """Open a dock of the plugin as its menu does."""

    def _open(name: str) -> QWidget:
        _, dock = viewer.window.add_plugin_dock_widget('napari-adacs', name)
        return dock

    return _open
