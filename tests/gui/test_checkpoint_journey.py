"""A public checkpoint, from the file dialog to the layers of a result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from napari.viewer import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.result_layers import ResultGroup, groups_in
from napari_adacs.models.library import FOLDER_VARIABLE, find_model
from napari_adacs.networks.auxiliary import ScoringEstimator
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.widgets.parts.run_bar import RunState
from tests.app.pairs import add_pair
from tests.gui.conftest import Open
from tests.models.importers.files import filled

pytestmark = pytest.mark.gui

LONG = 60_000
SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 4]}


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the user's models."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / 'mine'))
    return tmp_path / 'mine'


def _pick(dock: Any, qtbot: Any, monkeypatch: Any, *files: Path) -> None:
    """Open the menu with the mouse, choose the entry, choose the files."""
    monkeypatch.setattr(
        QFileDialog,
        'getOpenFileNames',
        lambda *_: ([str(file) for file in files], ''),
    )
    box = dock.form.model
    busy: list[bool] = []
    box.getter.busy_changed.connect(busy.append)

    def choose() -> None:
        place = box.menu.actionGeometry(box.load_action).center()
        qtbot.mouseClick(box.menu, Qt.MouseButton.LeftButton, pos=place)

    QTimer.singleShot(200, choose)
    button = dock.findChild(QPushButton, 'load_model')
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: busy == [True, False], timeout=LONG)


def test_a_checkpoint_registers_two_layers(
    viewer: Viewer,
    own_folder: Path,
    open_dock: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: Any,
) -> None:
    files = []
    config = {'inshape': (16, 16, 16), 'int_steps': 7, 'int_downsize': 2}
    for name, network in (
        ('motion', VoxelMorph(3, **SMALL)),
        ('scoring', ScoringEstimator(3, **SMALL)),
    ):
        files.append(tmp_path / f'vxm_Echo_{name}.pt')
        state = filled(network).state_dict()
        torch.save({'config': config, 'model_state': state}, files[-1])
    dock = open_dock('Register')
    add_pair(viewer)
    _pick(dock, qtbot, monkeypatch, *files)

    said = dock.results.message.text()
    assert 'VoxelMorph 0.2, 3D: a displacement network of' in said
    assert dock.form.model.value() == 'vxm-echo-motion'
    entry = find_model('vxm-echo-motion')
    assert entry.path.parent == own_folder
    button = dock.findChild(QPushButton, 'register_button')
    qtbot.waitUntil(button.isEnabled, timeout=LONG)
    assert 'vxm-echo-motion' in dock.preflight.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.state.busy, timeout=LONG)
    assert dock.state is RunState.DONE
    (group,) = groups_in(viewer)
    layers = ResultGroup(viewer, group).layers()
    assert Role.SCORE in layers
    assert '[vxm-echo-motion]' in layers[Role.WARPED].name


def test_a_refused_file_changes_nothing(
    viewer: Viewer,
    own_folder: Path,
    open_dock: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: Any,
) -> None:
    dock = open_dock('Register')
    add_pair(viewer)
    before = dock.form.model.value()
    file = tmp_path / 'lapirn.pth'
    names = ('input_encoder_lvl1.0.weight', 'resblock_group_lvl1.0.weight')
    torch.save({name: torch.zeros(3) for name in names}, file)
    _pick(dock, qtbot, monkeypatch, file)
    assert 'holds the weights of LapIRN' in dock.results.message.text()
    assert dock.form.model.value() == before
    assert not own_folder.exists()


def test_closing_the_dock_stops_getting_a_model(
    viewer: Viewer,
    own_folder: Path,
    open_dock: Open,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: Any,
) -> None:
    stopped = []

    def slow(name: str, progress: Any, cancel: Any) -> None:
        stopped.append(cancel.wait(30))

    monkeypatch.setattr(
        'napari_adacs.widgets.parts.model_box.get_from_hub', slow
    )
    dock = open_dock('Register')
    dock.form.model.download('anything')
    assert dock.form.model.getter.isVisibleTo(dock)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: stopped == [True], timeout=LONG)
