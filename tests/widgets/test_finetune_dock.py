"""The Fine-tune dock on a viewer without a window, with real runs."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QComboBox, QMainWindow, QWidget

from napari_adacs.app.finetune.data_choice import DataKind
from napari_adacs.app.finetune.wishes import SCRATCH
from napari_adacs.cli.parser import make_parser
from napari_adacs.io.nifti import save_volume
from napari_adacs.models.library import FOLDER_VARIABLE, list_models
from napari_adacs.runs.folders import VARIABLE
from napari_adacs.runs.run import TrainingRun, list_runs
from napari_adacs.runs.state import State
from napari_adacs.spatial.grid import Grid
from napari_adacs.training.config import load_config
from napari_adacs.weighting.registry import SCHEMES
from napari_adacs.widgets.finetune_dock import FinetuneDock
from napari_adacs.widgets.parts.closing_guard import Answer
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.register_dock import RegisterDock
from tests.app.pairs import texture
from tests.small_models import save_small_model

# Runs take seconds, but for a machine that has other things to do.
LONG = 600_000
pytestmark = pytest.mark.timeout(3 * LONG // 1000)
SHAPE = (32, 32)


@pytest.fixture(autouse=True)
def errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """A small model, folders of one's own, and what napari was told."""
    told: list[str] = []
    models = tmp_path / 'models'
    models.mkdir()
    save_small_model(models, 2)
    monkeypatch.setenv(FOLDER_VARIABLE, str(models))
    monkeypatch.setenv(VARIABLE, str(tmp_path / 'runs'))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', models / 'none'
    )
    monkeypatch.setattr(
        'napari_adacs.widgets.parts.viewer_dock.show_error', told.append
    )
    yield told
    for run in list_runs():
        run.kill()


@pytest.fixture
def dock(viewer_model: ViewerModel, qtbot: Any) -> FinetuneDock:
    """A dock on three patients in two frames each, with labels."""
    for patient in range(3):
        for frame in range(2):
            name = f'p{patient}_{("ED", "ES")[frame]}'
            image = texture(SHAPE, patient)
            image = np.roll(image, frame, 0)
            viewer_model.add_image(image, name=name, units=('mm', 'mm'))
            labels = (image > np.median(image)).astype(np.uint8)
            viewer_model.add_labels(
                labels, name=f'{name}_gt', units=('mm', 'mm')
            )
    widget = FinetuneDock(viewer_model)
    qtbot.addWidget(widget)
    return widget


def _settle(qtbot: Any, dock: FinetuneDock) -> None:
    qtbot.wait(1)
    qtbot.waitUntil(
        lambda: not dock.new.looking and not dock.new._soon.isActive(),
        timeout=LONG,
    )


def _line(qtbot: Any, dock: FinetuneDock) -> str:
    _settle(qtbot, dock)
    return dock.new.preflight.text()


def _short(qtbot: Any, dock: FinetuneDock, steps: int = 6) -> None:
    """Wish for a run of a few steps."""
    form = dock.new.form
    form.budget.unit.setCurrentText('steps')
    form.budget.steps.setValue(steps)
    form.batch.setValue(1)
    form.advanced.held_out.setValue(30)
    _settle(qtbot, dock)


def _click(qtbot: Any, button: QWidget) -> None:
    qtbot.waitUntil(button.isEnabled, timeout=LONG)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def _start(qtbot: Any, dock: FinetuneDock) -> TrainingRun:
    _click(qtbot, dock.new.bar.button)
    qtbot.waitUntil(lambda: dock.runs.folder is not None, timeout=LONG)
    return TrainingRun(dock.runs.folder)


def _until(qtbot: Any, dock: FinetuneDock, *states: State) -> None:
    def there() -> bool:
        seen = dock.runs.last
        return seen is not None and seen.status.state in states

    qtbot.waitUntil(there, timeout=LONG)


# ---- the form ---------------------------------------------------------------


def test_open_layers_are_pairs_at_once(qtbot: Any, dock: FinetuneDock) -> None:
    assert [p.name for p in dock.new.form.data.table.pairs()] == [
        'p0',
        'p1',
        'p2',
    ]
    line = _line(qtbot, dock)
    assert line.startswith('3 pairs of 3 patients, 1 held out with labels')
    assert 'Network voxelmorph on 32 × 32, 10 min on auto' in line
    assert dock.new.bar.button.isEnabled()


def test_unticking_and_changing_pairs(qtbot: Any, dock: FinetuneDock) -> None:
    table = dock.new.form.data.table
    table.item(0, 0).setCheckState(Qt.CheckState.Unchecked)
    assert '2 pairs of 2 patients' in _line(qtbot, dock)
    table.item(1, 5).setText('p2')
    assert '2 pairs of 1 patient, none held out' in _line(qtbot, dock)
    moving = table.chosen(1, 1)
    table.choose(1, 2, moving)
    assert "Moving and fixed of 'p1' are the same" in _line(qtbot, dock)
    assert dock.new.preflight.kind is Kind.WARNING
    assert not dock.new.bar.button.isEnabled()
    # what was changed by hand survives another layer
    dock._viewer.add_image(texture(SHAPE), name='other')
    assert not table.pairs()[0].used
    assert table.pairs()[1].patient == 'p2'


def test_a_cell_offers_the_layers(qtbot: Any, dock: FinetuneDock) -> None:
    table = dock.new.form.data.table
    assert table.choices(0) == []
    assert len(table.choices(1)) == 6
    assert table.choices(3)[0] is None
    table.editItem(table.item(0, 3))
    (editor,) = table.findChildren(QComboBox)
    assert editor.currentText() == 'p0_ED_gt'
    editor.setCurrentIndex(0)
    editor.activated.emit(0)
    assert table.pairs()[0].moving_labels is None
    assert table.item(0, 3).text() == '–'


def test_a_folder_is_searched_in_the_background(
    qtbot: Any, dock: FinetuneDock, tmp_path: Path
) -> None:
    grid = Grid.from_spacing(SHAPE, 1.0)
    folder = tmp_path / 'data'
    folder.mkdir()
    for i in range(4):
        for frame in ('ED', 'ES'):
            path = folder / f'q{i}_{frame}.nii.gz'
            save_volume(path, texture(SHAPE, i), grid)
    form = dock.new.form
    form.data.choose_kind(DataKind.FOLDER)
    form.data.path.setText(str(folder))
    assert dock.new.looking
    line = _line(qtbot, dock)
    assert line.startswith('4 pairs of 4 patients, 1 held out without labels')
    form.data.path.setText(str(tmp_path / 'nowhere'))
    assert 'There is no folder or table' in _line(qtbot, dock)
    form.data.choose_kind(DataKind.PATTERN)
    form.data.path.setText(str(folder / '{patient}_{ED>ES}.nii.gz'))
    assert _line(qtbot, dock).startswith('4 pairs of 4 patients')


def test_every_scheme_shows_its_hyperparameters(dock: FinetuneDock) -> None:
    box = dock.new.form.scheme
    assert [box.combo.itemData(i) for i in range(box.combo.count())] == list(
        SCHEMES
    )
    for index, (name, scheme) in enumerate(SCHEMES.items()):
        box.combo.setCurrentIndex(index)
        assert box.scheme() == name
        assert scheme(**box.values()) == scheme()
        for option in box.values():
            assert 'Usually' in box.input(option).toolTip()


def test_hyperparameters_reach_the_configuration(
    qtbot: Any, dock: FinetuneDock
) -> None:
    box = dock.new.form.scheme
    box.combo.setCurrentIndex(box.combo.findData('heteroscedastic'))
    box.input('gamma').setValue(0.75)
    box.input('preset').setCurrentText('code')
    _settle(qtbot, dock)
    config = dock.new._ready.config
    assert config.scheme.name == 'heteroscedastic'
    assert config.scheme.options == {
        'preset': 'code',
        'gamma': 0.75,
        'beta': 0.5,
    }


def test_from_scratch_asks_for_a_network(
    qtbot: Any, dock: FinetuneDock
) -> None:
    form = dock.new.form
    assert form.network.isHidden()
    form.start.combo.setCurrentIndex(form.start.combo.findData(SCRATCH))
    assert not form.network.isHidden()
    assert 'identity' not in [
        form.network.itemData(i) for i in range(form.network.count())
    ]
    form.grid.boxes[0].setValue(48)
    _settle(qtbot, dock)
    config = dock.new._ready.config
    assert (config.start_from, config.shape) == ('', (48, 128))


def test_numbers_are_written_short_and_read_anyhow(
    qtbot: Any, dock: FinetuneDock
) -> None:
    rate = dock.new.form.rate
    assert rate.text() == '0.0001'
    rate.selectAll()
    qtbot.keyClicks(rate, '3e-5')
    qtbot.keyClick(rate, Qt.Key.Key_Return)
    assert rate.value() == pytest.approx(3e-5)
    assert rate.text() == '3e-05'


def test_opening_the_dock_loads_no_torch() -> None:
    code = (
        'import sys\n'
        'from napari.components import ViewerModel\n'
        'from qtpy.QtWidgets import QApplication\n'
        'app = QApplication([])\n'
        'from napari_adacs.widgets.finetune_dock import FinetuneDock\n'
        'dock = FinetuneDock(ViewerModel())\n'
        'app.processEvents()\n'
        'dock.detach()\n'
        'print("torch" in sys.modules, "pyqtgraph" in sys.modules)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ['False', 'False'], done.stderr


# ---- runs -------------------------------------------------------------------


def test_a_run_from_open_layers_to_the_register_dock(
    qtbot: Any, dock: FinetuneDock, viewer_model: ViewerModel
) -> None:
    register = RegisterDock(viewer_model)
    qtbot.addWidget(register)
    register.form.model.show_for(2)
    before = set(viewer_model.layers)
    _short(qtbot, dock)
    name = dock.new.form.name.text()
    run = _start(qtbot, dock)
    assert dock.tabs.bar.currentIndex() == 1
    # the next run has another name
    assert dock.new.form.name.text() == f'{name}-2'
    qtbot.waitUntil(
        lambda: len(viewer_model.layers) > len(before), timeout=LONG
    )
    shown = set(viewer_model.layers) - before
    qtbot.waitUntil(lambda: 'data' in dock.runs.last.figures, timeout=LONG)
    _until(qtbot, dock, State.FINISHED)
    qtbot.waitUntil(lambda: dock.runs.outcome.offer is not None, timeout=LONG)

    assert run.status().state is State.FINISHED
    # the preview has gone again
    assert not shown & set(viewer_model.layers)
    assert dock.runs.curves.plot is not None
    assert {'data', 'smoothness'} <= set(dock.runs.curves.plot.curves)
    offer = dock.runs.outcome.offer
    assert offer.name == name
    assert f'Offered in the Register dock as {name}' in offer.sentence
    assert name in [entry.name for entry in list_models()]
    # at once, and without a click there
    assert register.form.model.combo.findData(name) >= 0
    assert register.use_model(name)
    assert register.form.model.value() == name


def test_steering_a_run_from_two_docks(qtbot: Any, dock: FinetuneDock) -> None:
    _short(qtbot, dock, steps=5000)
    run = _start(qtbot, dock)
    _until(qtbot, dock, State.RUNNING)
    controls = dock.runs.controls
    _click(qtbot, controls.rest)
    _until(qtbot, dock, State.PAUSED)
    assert controls.rest.text() == 'Go on'
    step = dock.runs.last.status.step
    time.sleep(0.5)
    assert run.status().step == step
    # the dock goes, the run stays, and another dock finds it
    dock.close()
    other = FinetuneDock(ViewerModel())
    qtbot.addWidget(other)
    _until(qtbot, other, State.PAUSED)
    assert other.runs.folder == run.folder
    assert other.tabs.bar.currentIndex() == 1
    controls = other.runs.controls
    _click(qtbot, controls.rest)
    _until(qtbot, other, State.RUNNING)
    qtbot.waitUntil(lambda: bool(other.runs.last.figures), timeout=LONG)
    _click(qtbot, controls.end)
    _until(qtbot, other, State.STOPPED)
    reached = other.runs.last.status.step
    assert not controls.again.isHidden()
    qtbot.waitUntil(lambda: other.runs.outcome.offer is not None, timeout=LONG)
    _click(qtbot, controls.again)
    _until(qtbot, other, State.RUNNING)
    assert other.runs.outcome.offer is None
    qtbot.waitUntil(
        lambda: other.runs.last.status.step > reached, timeout=LONG
    )


def test_a_run_that_fails_says_why(
    qtbot: Any, dock: FinetuneDock, viewer_model: ViewerModel
) -> None:
    for layer in list(viewer_model.layers):
        layer.data = np.zeros_like(layer.data)
    _short(qtbot, dock)
    _start(qtbot, dock)
    _until(qtbot, dock, State.FAILED)
    message = dock.runs.controls.message
    assert 'None of' in message.text() and 'constant' in message.text()
    assert message.kind is Kind.ERROR
    assert 'Traceback' not in message.text()
    assert dock.runs.outcome.isHidden()
    assert dock.runs.controls.again.isHidden()


def test_copy_as_command_is_what_would_run(
    qtbot: Any, dock: FinetuneDock
) -> None:
    _short(qtbot, dock, steps=77)
    config = dock.new._ready.config
    _click(qtbot, dock.new.copy_button)
    qtbot.waitUntil(lambda: not dock.new.busy, timeout=LONG)
    words = shlex.split(QApplication.clipboard().text())
    assert words[0] == 'napari-adacs'
    chosen = make_parser().parse_args(words[1:])
    assert load_config(chosen.config) == config
    assert Path(chosen.data[0]).is_file()
    assert chosen.device == 'auto'
    # nothing runs, and nothing is listed
    assert list_runs() == []
    assert 'Command copied' in dock.message.text()


def test_a_folder_that_cannot_be_made_is_said(
    qtbot: Any,
    dock: FinetuneDock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    errors: list[str],
) -> None:
    (tmp_path / 'file').touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / 'file'))
    _short(qtbot, dock)
    _click(qtbot, dock.new.bar.button)
    qtbot.waitUntil(lambda: bool(errors), timeout=LONG)
    assert 'A folder for the run cannot be made' in dock.message.text()
    assert dock.message.kind is Kind.ERROR


# ---- closing ----------------------------------------------------------------


@pytest.fixture
def window(dock: FinetuneDock, qtbot: Any) -> Iterator[QMainWindow]:
    """A window with a canvas, and the dock in it."""
    main = QMainWindow()
    central = QWidget()
    canvas = QWidget(central)
    canvas.setObjectName('canvas')
    main.setCentralWidget(central)
    dock.setParent(main)
    dock.show()
    main.show()
    dock._watch_window()
    yield main
    dock.setParent(None)
    main.close()
    main.deleteLater()


def test_closing_the_window_asks(
    qtbot: Any, dock: FinetuneDock, window: QMainWindow
) -> None:
    _short(qtbot, dock, steps=5000)
    run = _start(qtbot, dock)
    _until(qtbot, dock, State.RUNNING)
    answers = [Answer.STAY, Answer.GO_ON, Answer.STOP]
    asked: list[str] = []

    def reply(parent: QWidget, name: str) -> Answer:
        asked.append(name)
        return answers[len(asked) - 1]

    dock.guard.ask = reply
    assert not window.close()
    assert window.isVisible()
    assert dock.guard.may_close(window)
    assert not run.status().state.ended
    assert window.close()
    assert asked == [run.name] * 3
    qtbot.waitUntil(lambda: run.status().state.ended, timeout=LONG)
    assert run.status().state is State.STOPPED


def test_nobody_is_asked_without_a_run_or_by_a_program(
    dock: FinetuneDock,
    window: QMainWindow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reply(parent: QWidget, name: str) -> Answer:
        raise AssertionError('asked')

    dock.guard.ask = reply
    event = QCloseEvent()
    assert not dock.guard.eventFilter(window, event)
    monkeypatch.setattr(type(dock.runs), 'running', 'a run')
    # what viewer.close() does before it closes the window
    window.findChild(QWidget, 'canvas').close()
    assert not dock.guard.eventFilter(window, event)
    assert event.type() == QEvent.Type.Close
