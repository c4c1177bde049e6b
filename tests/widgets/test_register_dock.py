"""The Register dock on a viewer without a window."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QWidget

from napari_adacs.app import session
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.prepared import Prepared
from napari_adacs.app.request import preflight
from napari_adacs.app.result_layers import ResultGroup, groups_in
from napari_adacs.errors import CancelledError, DeviceError
from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.phantom.echo import echo_pair
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.parts.run_bar import RunState
from napari_adacs.widgets.register_dock import RegisterDock
from tests.app.pairs import MM, add_cine, add_pair, texture
from tests.small_models import save_small_model

NAMES = (
    'moving_layer',
    'moving_frame',
    'moving_current_frame',
    'fixed_layer',
    'fixed_frame',
    'fixed_current_frame',
    'swap',
    'moving_labels',
    'model',
    'load_model',
    'device',
    'refine_steps',
    'register_button',
    'copy_python',
    'copy_command',
    'remove_results',
)


@pytest.fixture(scope='module')
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model for 2D and one for 3D."""
    folder = tmp_path_factory.mktemp('models')
    for ndim in (2, 3):
        save_small_model(folder, ndim)
    return folder


@pytest.fixture(autouse=True)
def errors(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Small models, no earlier runs, and what napari was told of errors."""
    told: list[str] = []
    monkeypatch.setenv(FOLDER_VARIABLE, str(model_folder))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', model_folder / 'none'
    )
    monkeypatch.setattr(session, '_RUNS', {})
    monkeypatch.setattr(
        'napari_adacs.widgets.parts.viewer_dock.show_error', told.append
    )
    return told


@pytest.fixture
def two_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 2D model for echo and one for everything."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    save_small_model(tmp_path, name='ours-echo', domain='2D echo')
    save_small_model(tmp_path, name='ours-general', domain='general 2D')


def _add_echo(
    viewer: ViewerModel,
    change: Callable[[np.ndarray], object] = np.asarray,
) -> None:
    pair = echo_pair(0, 2, (48, 48))
    for name, image in (('ED', pair.moving), ('ES', pair.fixed)):
        viewer.add_image(
            change(image), name=name, units=MM[:2], contrast_limits=(0, 1)
        )


@pytest.fixture
def dock(viewer_model: ViewerModel, qtbot: Any) -> RegisterDock:
    """A dock on an empty viewer."""
    widget = RegisterDock(viewer_model)
    qtbot.addWidget(widget)
    return widget


def _settle(qtbot: Any, dock: RegisterDock) -> None:
    """Wait until the dock has noticed what changed."""
    qtbot.wait(1)
    qtbot.waitUntil(lambda: not dock._debounce.isActive())


def _press(qtbot: Any, dock: RegisterDock) -> None:
    _settle(qtbot, dock)
    qtbot.mouseClick(dock.run_bar.button, Qt.MouseButton.LeftButton)


def _register(qtbot: Any, dock: RegisterDock) -> None:
    """Press Register and wait for the end."""
    _press(qtbot, dock)
    qtbot.waitUntil(lambda: not dock.state.busy, timeout=20_000)


def _preflight(qtbot: Any, dock: RegisterDock) -> str:
    _settle(qtbot, dock)
    return dock.preflight.text()


def _hold(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> Event:
    """Make runs wait for the returned event, or for being cancelled."""
    go_on = Event()

    def run(
        self: Prepared, progress: Any, cancel: Event, preview: Any
    ) -> None:
        progress(0.5, 'Waiting')
        while not go_on.wait(0.005):
            if cancel.is_set():
                raise CancelledError
        assert error is not None
        raise error

    monkeypatch.setattr(Prepared, 'run', run)
    return go_on


class TestBefore:
    def test_an_empty_viewer_says_what_to_do(
        self, dock: RegisterDock, qtbot: Any
    ) -> None:
        assert 'Open two images' in _preflight(qtbot, dock)
        assert not dock.run_bar.button.isEnabled()
        assert not dock.results.python_button.isEnabled()

    def test_two_images_become_moving_and_fixed(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        text = _preflight(qtbot, dock)
        assert dock.form.moving.layer() is viewer_model.layers['ED']
        assert dock.form.fixed.layer() is viewer_model.layers['ES']
        assert 'small-3d' in text
        assert dock.preflight.kind is Kind.INFO
        assert dock.run_bar.button.isEnabled()

    def test_a_choice_by_hand_is_respected(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        picker = dock.form.fixed.picker
        picker.setCurrentIndex(0)
        picker.activated.emit(0)
        assert 'same image' in _preflight(qtbot, dock)
        viewer_model.add_image(texture(seed=7), scale=(3, 2, 1), units=MM)
        assert dock.form.fixed.layer() is viewer_model.layers['ED']

    def test_swap(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        qtbot.mouseClick(dock.form.swap, Qt.MouseButton.LeftButton)
        chosen = dock.form.chosen()
        assert chosen is not None
        assert (chosen.moving.name, chosen.fixed.name) == ('ES', 'ED')

    def test_swap_exchanges_the_frames_of_a_sequence(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_cine(viewer_model, 6)
        qtbot.mouseClick(dock.form.swap, Qt.MouseButton.LeftButton)
        assert dock.form.moving.frame() == 2
        assert dock.form.fixed.frame() == 0

    def test_one_sequence_is_enough(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_cine(viewer_model)
        _preflight(qtbot, dock)
        assert dock.run_bar.button.isEnabled()

    @pytest.mark.parametrize(
        ('change', 'said'),
        [
            ({'units': ('pixel',) * 3}, 'no physical units'),
            ({'units': ('pixel', 'mm', 'mm')}, 'different kinds of units'),
            ({'translate': (900, 0, 0)}, 'overlap'),
            ({'data': np.zeros((16, 16, 1))}, 'one voxel'),
        ],
    )
    def test_what_cannot_be_registered_is_said(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        qtbot: Any,
        change: dict[str, Any],
        said: str,
    ) -> None:
        add_pair(viewer_model)
        for name, value in change.items():
            setattr(viewer_model.layers['ES'], name, value)
        assert said in _preflight(qtbot, dock)
        assert dock.preflight.kind is Kind.WARNING
        assert not dock.run_bar.button.isEnabled()

    def test_colour_is_refused(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        viewer_model.add_image(np.zeros((16, 16, 3), np.uint8), rgb=True)
        assert 'in colour' in _preflight(qtbot, dock)

    def test_models_follow_the_images(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model, (16, 16))
        _settle(qtbot, dock)
        assert dock.form.model.combo.itemText(0) == 'Automatic (small-2d)'

    def test_images_choose_the_model_and_say_why(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        two_kinds: None,
        qtbot: Any,
    ) -> None:
        combo = dock.form.model.combo
        _add_echo(viewer_model)
        said = _preflight(qtbot, dock)
        assert 'ours-echo, made for 2D echo: the image has an ultr' in said
        assert combo.currentText() == 'Automatic (ours-echo)'
        assert 'sector' in combo.toolTip()
        # a person's own choice stays, and is not explained
        dock.use_model('ours-general')
        said = _preflight(qtbot, dock)
        assert 'Model ours-general, made for general 2D.' in said
        viewer_model.layers.clear()
        add_pair(viewer_model, (32, 32))
        assert 'ours-general' in _preflight(qtbot, dock)
        dock.use_model('auto')
        said = _preflight(qtbot, dock)
        assert 'general 2D: neither echo nor cine MRI' in said
        assert combo.currentText() == 'Automatic (ours-general)'

    def test_what_has_to_be_read_is_looked_at_in_a_thread(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        two_kinds: None,
        qtbot: Any,
    ) -> None:
        read: list[threading.Thread] = []
        go_on = Event()

        def noted(block: np.ndarray) -> np.ndarray:
            if threading.current_thread() is not threading.main_thread():
                go_on.wait(5)
            read.append(threading.current_thread())
            return block

        _add_echo(
            viewer_model,
            lambda image: da.from_array(image).map_blocks(noted, meta=image),
        )
        # the viewer draws the layers, in this thread
        with qtbot.waitSignal(dock._looking.ended, timeout=5000):
            read.clear()
            assert 'ours-general' in _preflight(qtbot, dock)
            go_on.set()
        assert read
        assert threading.main_thread() not in read
        assert 'ultrasound sector' in _preflight(qtbot, dock)
        assert not dock._looking.running

    def test_what_cannot_be_read_is_asked_for_once(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        two_kinds: None,
        qtbot: Any,
    ) -> None:
        class Broken:
            shape, dtype, ndim = (32, 32), np.dtype(np.float32), 2
            asked = 0

            def __getitem__(self, key: object) -> object:
                Broken.asked += 1
                raise OSError('gone')

        _add_echo(viewer_model)
        _settle(qtbot, dock)
        chosen = dock.form.chosen()
        assert chosen is not None
        request = chosen.request()
        lazy = replace(request, fixed=replace(request.fixed, source=Broken()))
        found = preflight(lazy)
        assert [image.name for image in found.unseen] == ['fixed']
        found.look()
        assert preflight(lazy).unseen == ()
        assert Broken.asked == 1

    def test_everything_has_a_tooltip_and_can_be_reached(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_cine(viewer_model)
        _settle(qtbot, dock)
        for name in NAMES:
            widget = dock.findChild(QWidget, name)
            assert widget is not None, name
            assert widget.toolTip(), name
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, name

    def test_no_colours_are_fixed(self) -> None:
        folder = Path(sys.modules[RegisterDock.__module__].__file__ or '')
        # These two show the colours of the canvas, and lie on it.
        on_canvas = {'key_help.py', 'view_bar.py'}
        files = set(folder.parent.rglob('*.py'))
        for file in (f for f in files if f.name not in on_canvas):
            text = file.read_text(encoding='utf-8')
            assert not re.search(r'setStyleSheet|#[0-9a-fA-F]{6}', text), file


class TestRun:
    def test_layers_appear(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        _register(qtbot, dock)
        assert dock.state is RunState.DONE
        names = [layer.name for layer in viewer_model.layers]
        assert 'ED → ES [small-3d] warped' in names
        assert viewer_model.layers.units is not None
        assert 'largest displacement' in dock.results.message.text()
        assert dock.last_result is not None
        assert dock.run_bar.button.text() == 'Register'
        assert dock.run_bar.button.isEnabled()

    def test_again_updates_the_same_layers(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        _register(qtbot, dock)
        before = list(viewer_model.layers)
        first = dock.last_result
        _register(qtbot, dock)
        assert list(viewer_model.layers) == before
        assert dock.last_result is not first
        assert len(groups_in(viewer_model)) == 1

    def test_frames_make_groups_of_their_own(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_cine(viewer_model)
        _register(qtbot, dock)
        dock.form.fixed.frame_box.setValue(3)
        _register(qtbot, dock)
        assert len(groups_in(viewer_model)) == 2
        assert viewer_model.layers.units is not None

    def test_labels_are_warped(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        data = np.zeros((16, 16, 16), np.uint8)
        data[4:12, 4:12, 4:12] = 1
        labels = viewer_model.add_labels(data, scale=(3, 2, 1), units=MM)
        dock.form.labels.choose(labels)
        _register(qtbot, dock)
        (group,) = groups_in(viewer_model)
        assert Role.LABELS in ResultGroup(viewer_model, group).layers()

    def test_remove_leaves_everything_else(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        assert not dock.results.remove_button.isEnabled()
        _register(qtbot, dock)
        button = dock.results.remove_button
        assert button.isEnabled()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert [x.name for x in viewer_model.layers] == ['ED', 'ES']
        assert not button.isEnabled()
        assert session.latest(viewer_model) is None
        assert dock.last_result is None

    def test_remove_takes_the_newest_group_first(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_cine(viewer_model)
        _register(qtbot, dock)
        (first,) = groups_in(viewer_model)
        dock.form.fixed.frame_box.setValue(3)
        _register(qtbot, dock)
        dock.results.remove_button.click()
        assert groups_in(viewer_model) == [first]
        assert dock.results.remove_button.isEnabled()

    def test_deleting_all_layers_by_hand_lets_the_result_go(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        _register(qtbot, dock)
        viewer_model.layers.clear()
        assert dock.last_result is None
        assert session.latest(viewer_model) is None

    def test_the_user_data_are_not_changed(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        before = [np.array(x.data) for x in viewer_model.layers]
        _register(qtbot, dock)
        for layer, data in zip(viewer_model.layers[:2], before, strict=True):
            np.testing.assert_array_equal(layer.data, data)

    def test_the_lines_can_be_copied(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        _settle(qtbot, dock)
        dock.results.python_button.click()
        assert "viewer.layers['ED']" in QApplication.clipboard().text()
        dock.results.command_button.click()
        assert 'napari-adacs register' in QApplication.clipboard().text()


class TestTrouble:
    def test_cancel(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        qtbot: Any,
        monkeypatch: pytest.MonkeyPatch,
        errors: list[str],
    ) -> None:
        add_pair(viewer_model)
        _hold(monkeypatch, None)
        _press(qtbot, dock)
        assert dock.state is RunState.RUNNING
        assert not dock.form.isEnabled()
        qtbot.waitUntil(lambda: dock.run_bar.progress.value() == 50)
        assert dock.run_bar.button.text() == 'Cancel'
        qtbot.mouseClick(dock.run_bar.button, Qt.MouseButton.LeftButton)
        assert dock.state is RunState.CANCELLING
        qtbot.waitUntil(lambda: dock.state is RunState.IDLE)
        assert 'Cancelled' in dock.results.message.text()
        assert len(viewer_model.layers) == 2
        assert dock.form.isEnabled()
        assert errors == []

    @pytest.mark.parametrize(
        ('error', 'said'),
        [
            (RuntimeError('CUDA error: boom'), 'Internal error'),
            (DeviceError('Out of memory.', 'Try cpu.'), 'Try cpu.'),
        ],
    )
    def test_an_error_is_a_sentence_and_the_dock_recovers(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        qtbot: Any,
        errors: list[str],
        error: Exception,
        said: str,
    ) -> None:
        add_pair(viewer_model)
        with pytest.MonkeyPatch.context() as patch:
            _hold(patch, error).set()
            _register(qtbot, dock)
        assert dock.state is RunState.FAILED
        assert said in dock.results.message.text()
        assert dock.results.message.kind is Kind.ERROR
        assert errors == [dock.results.message.text()]
        assert len(viewer_model.layers) == 2
        _register(qtbot, dock)
        assert dock.state is RunState.DONE

    def test_bad_voxels_are_a_sentence(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        qtbot: Any,
        errors: list[str],
    ) -> None:
        add_pair(viewer_model)
        data = texture()
        data[0, 0, 0] = np.nan
        viewer_model.layers['ES'].data = data
        _register(qtbot, dock)
        assert 'NaN' in errors[0]
        assert len(viewer_model.layers) == 2

    def test_layers_may_be_renamed_and_deleted_while_running(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        _press(qtbot, dock)
        viewer_model.layers['ED'].name = 'diastole'
        viewer_model.layers.clear()
        qtbot.waitUntil(lambda: not dock.state.busy, timeout=20_000)
        assert dock.state is RunState.DONE
        assert 'Open two images' in _preflight(qtbot, dock)

    def test_closing_cancels(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        qtbot: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_pair(viewer_model)
        left = Event()

        def run(
            self: Prepared, progress: Any, cancel: Event, preview: Any
        ) -> None:
            cancel.wait(5)
            left.set()

        monkeypatch.setattr(Prepared, 'run', run)
        _press(qtbot, dock)
        dock.close()
        qtbot.waitUntil(left.is_set)
        qtbot.wait(20)
        assert len(viewer_model.layers) == 2
        assert not dock.state.busy

    def test_taking_it_out_of_its_dock_cancels_and_back_in_it_works(
        self,
        dock: RegisterDock,
        viewer_model: ViewerModel,
        qtbot: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        parent = QWidget()
        qtbot.addWidget(parent)
        dock.setParent(parent)
        add_pair(viewer_model)
        with pytest.MonkeyPatch.context() as patch:
            _hold(patch, None)
            _press(qtbot, dock)
            dock.setParent(None)
        assert not dock.state.busy
        viewer_model.add_image(texture(seed=9), name='new')
        assert dock.form.moving.picker.count() == 2
        dock.setParent(parent)
        assert dock.form.moving.picker.count() == 3
        _register(qtbot, dock)
        assert dock.state is RunState.DONE
        dock.setParent(None)  # or it would go with its parent

    def test_closing_while_layers_appear_stops_it(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        _press(qtbot, dock)
        qtbot.waitUntil(lambda: dock.state is RunState.SHOWING, timeout=20_000)
        dock.close()
        count = len(viewer_model.layers)
        qtbot.wait(50)
        assert len(viewer_model.layers) == count

    def test_a_closed_dock_leaves_the_viewer_alone(
        self, dock: RegisterDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        add_pair(viewer_model)
        dock.close()
        with qtbot.assertNotEmitted(dock.form.changed):
            viewer_model.layers['ED'].scale = (1, 1, 1)
            viewer_model.layers.clear()


def test_opening_the_dock_loads_no_torch(model_folder: Path) -> None:
    code = (
        'import sys\n'
        'from napari.components import ViewerModel\n'
        'from qtpy.QtWidgets import QApplication\n'
        'app = QApplication([])\n'
        'import numpy as np\n'
        'viewer = ViewerModel()\n'
        'for seed in range(2):\n'
        '    viewer.add_image(np.random.rand(16, 16, 16))\n'
        'from napari_adacs.widgets.register_dock import RegisterDock\n'
        'dock = RegisterDock(viewer)\n'
        "assert 'of memory' in dock.preflight.text(), dock.preflight.text()\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
