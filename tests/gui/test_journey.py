"""What a person does, with real buttons in a real window."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from app_model.types import SubmenuItem
from napari.layers import Image, Labels, Vectors
from napari.viewer import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QPushButton

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.prepared import Prepared
from napari_adacs.app.result_layers import ResultGroup, groups_in
from napari_adacs.widgets.parts.run_bar import RunState
from tests.app.pairs import add_cine, add_pair
from tests.gui.conftest import Open

pytestmark = pytest.mark.gui

LONG = 30_000


def _button(dock: Any, name: str) -> QPushButton:
    button = dock.findChild(QPushButton, name)
    assert button is not None
    return button


def _click(qtbot: Any, dock: Any, name: str) -> None:
    button = _button(dock, name)
    qtbot.waitUntil(button.isEnabled, timeout=LONG)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def _register(qtbot: Any, dock: Any) -> None:
    _click(qtbot, dock, 'register_button')
    qtbot.waitUntil(lambda: not dock.state.busy, timeout=LONG)


def _roles(viewer: Viewer) -> dict[Role, Any]:
    (group,) = groups_in(viewer)
    return ResultGroup(viewer, group).layers()


def test_from_the_sample_to_the_layers(
    viewer: Viewer, open_dock: Open, qtbot: Any
) -> None:
    viewer.open_sample('napari-adacs', 'echo3d')
    dock = open_dock('Register')
    moving, fixed = dock.form.moving.layer(), dock.form.fixed.layer()
    assert moving.name.endswith('ED')
    assert fixed.name.endswith('ES')
    labels = next(x for x in viewer.layers if isinstance(x, Labels))
    dock.form.labels.choose(labels)
    _register(qtbot, dock)

    assert dock.state is RunState.DONE
    layers = _roles(viewer)
    assert set(layers) == set(Role) - {Role.SPREAD}
    assert isinstance(layers[Role.DISPLACEMENT], Vectors)
    assert isinstance(layers[Role.LABELS], Labels)
    shown = {r for r, x in layers.items() if x.visible}
    assert shown - {Role.FOLDED} == {Role.WARPED, Role.SCORE, Role.LABELS}
    assert [str(unit) for unit in viewer.layers.units] == ['millimeter'] * 3
    np.testing.assert_allclose(
        layers[Role.WARPED].data_to_world((3, 4, 5)),
        fixed.data_to_world((3, 4, 5)),
    )
    np.testing.assert_array_equal(
        layers[Role.WARPED].data,
        dock.last_result.field.warp_image(moving.data),
    )

    before = [x.unique_id for x in viewer.layers]
    _register(qtbot, dock)
    assert [x.unique_id for x in viewer.layers] == before

    _click(qtbot, dock, 'copy_command')
    assert 'napari-adacs register' in QApplication.clipboard().text()
    _click(qtbot, dock, 'copy_python')
    assert 'register_on_grids' in QApplication.clipboard().text()

    _click(qtbot, dock, 'remove_results')
    assert groups_in(viewer) == []
    assert len(viewer.layers) == 4


def test_the_2d_sample(viewer: Viewer, open_dock: Open, qtbot: Any) -> None:
    dock = open_dock('Register')
    viewer.open_sample('napari-adacs', 'echo2d')
    _register(qtbot, dock)
    assert {x.ndim for x in _roles(viewer).values()} == {2}


def test_two_frames_of_a_sequence(
    viewer: Viewer, open_dock: Open, qtbot: Any
) -> None:
    dock = open_dock('Register')
    add_cine(viewer)
    viewer.dims.set_current_step(0, 3)
    _click(qtbot, dock, 'fixed_current_frame')
    _register(qtbot, dock)
    assert viewer.layers.units is not None
    warped = _roles(viewer)[Role.WARPED]
    assert warped.name == 'cine[0] → cine[3] [small-3d] warped'


def test_results_can_be_looked_at_in_3d(
    viewer: Viewer, open_dock: Open, qtbot: Any
) -> None:
    add_pair(viewer)
    dock = open_dock('Register')
    viewer.dims.ndisplay = 3
    _register(qtbot, dock)
    for layer in _roles(viewer).values():
        layer.visible = True
    assert viewer.screenshot(canvas_only=True).any()


@pytest.mark.parametrize('title', ['Register', 'Fine-tune'])
def test_the_menu_entry_opens_the_dock(viewer: Viewer, title: str) -> None:
    from napari._app_model import get_app_model

    app = get_app_model()
    items = app.menus.get_menu('napari/layers/register')
    (command,) = (
        x.command.id
        for x in items
        if not isinstance(x, SubmenuItem)
        and x.command.id.startswith('napari-adacs')
        and x.command.title.startswith(title)
    )
    app.commands.execute_command(command).result()
    names = list(viewer.window.dock_widgets)
    assert any(title in name for name in names)


class TestTrouble:
    def test_cancelling_the_refinement_keeps_what_there_is(
        self, viewer: Viewer, open_dock: Open, qtbot: Any
    ) -> None:
        add_pair(viewer)
        dock = open_dock('Register')
        dock.form.refine.setValue(dock.form.refine.maximum())
        dock.form.refining.what.setCurrentIndex(1)  # never converges
        _click(qtbot, dock, 'register_button')
        bar = dock.run_bar
        qtbot.waitUntil(
            lambda: 'Refining' in bar.progress.format(), timeout=LONG
        )
        assert bar.button.text() == 'Cancel'
        _click(qtbot, dock, 'register_button')
        qtbot.waitUntil(lambda: not dock.state.busy, timeout=LONG)
        # What was refined until then is kept.
        assert dock.state is RunState.DONE
        notes = dock.last_result.notes
        assert any('stopped by hand' in note for note in notes)
        dock.form.refine.setValue(0)
        _register(qtbot, dock)
        assert dock.state is RunState.DONE

    def test_a_runtime_error_in_the_worker(
        self, viewer: Viewer, open_dock: Open, qtbot: Any
    ) -> None:
        def broken(*args: Any, **kwargs: Any) -> None:
            assert threading.current_thread() is not threading.main_thread()
            raise RuntimeError('cuDNN error: CUDNN_STATUS_EXECUTION_FAILED')

        add_pair(viewer)
        dock = open_dock('Register')
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                'napari_adacs.registration.register.register_on_grids', broken
            )
            _register(qtbot, dock)
        assert dock.state is RunState.FAILED
        assert 'cuDNN' in dock.results.message.text()
        assert 'Traceback' not in dock.results.message.text()
        assert len(viewer.layers) == 2
        _register(qtbot, dock)
        assert dock.state is RunState.DONE

    def test_out_of_memory(
        self, viewer: Viewer, open_dock: Open, qtbot: Any
    ) -> None:
        def full(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError('CUDA out of memory. Tried to allocate 9 TiB')

        add_pair(viewer)
        dock = open_dock('Register')
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                'napari_adacs.registration.estimate.Networks.motion', full
            )
            _register(qtbot, dock)
        text = dock.results.message.text()
        assert 'ran out of memory' in text
        assert 'Choose device cpu' in text

    def test_closing_the_dock_while_running(
        self, viewer: Viewer, open_dock: Open, qtbot: Any
    ) -> None:
        add_pair(viewer)
        dock = open_dock('Register')
        dock.form.refine.setValue(dock.form.refine.maximum())
        _click(qtbot, dock, 'register_button')
        viewer.window.remove_dock_widget(dock)
        assert not dock.state.busy
        qtbot.wait(100)
        assert len(viewer.layers) == 2
        viewer.layers['ED'].name = 'renamed'  # nobody must stumble
        again = open_dock('Register')
        assert again is not dock
        _register(qtbot, again)
        assert len(groups_in(viewer)) == 1

    def test_closing_the_window_while_running(
        self,
        viewer: Viewer,
        open_dock: Open,
        qtbot: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        started, left = threading.Event(), threading.Event()
        run = Prepared.run

        def watched(self: Prepared, *args: Any) -> Any:
            started.set()
            try:
                return run(self, *args)
            finally:
                left.set()

        monkeypatch.setattr(Prepared, 'run', watched)
        add_pair(viewer)
        dock = open_dock('Register')
        dock.form.refine.setValue(dock.form.refine.maximum())
        _click(qtbot, dock, 'register_button')
        qtbot.waitUntil(started.is_set)
        viewer.close()
        qtbot.waitUntil(left.is_set, timeout=LONG)
        qtbot.wait(100)

    def test_deleting_and_renaming_layers_while_running(
        self, viewer: Viewer, open_dock: Open, qtbot: Any
    ) -> None:
        add_pair(viewer)
        dock = open_dock('Register')
        _click(qtbot, dock, 'register_button')
        viewer.layers['ES'].name = 'systole'
        viewer.layers.remove('ED')
        qtbot.waitUntil(lambda: not dock.state.busy, timeout=LONG)
        assert dock.state is RunState.DONE
        names = [x.name for x in viewer.layers if isinstance(x, Image)]
        assert 'ED → ES [small-3d] warped' in names


def test_the_window_stays_alive(
    viewer: Viewer, open_dock: Open, qtbot: Any
) -> None:
    """The event loop turns while the network works; see benchmarks."""
    add_pair(viewer)
    dock = open_dock('Register')
    dock.form.refine.setValue(60)
    dock.form.refining.what.setCurrentIndex(1)  # slow enough to look at
    ticks = []
    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(lambda: ticks.append(dock.state))
    timer.start()
    _register(qtbot, dock)
    timer.stop()
    assert ticks.count(RunState.RUNNING) >= 10
    assert dock.state is RunState.DONE
