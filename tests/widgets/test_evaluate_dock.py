"""The Evaluate dock, without a window: choose, measure, export, clean up."""

from __future__ import annotations

import csv
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_adacs.app import layer_evaluation, session
from napari_adacs.app.layer_specs import Role, layer_specs
from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.errors import CancelledError
from napari_adacs.evaluation.report import evaluate
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.spatial.grid import Grid
from napari_adacs.widgets.evaluate_dock import EvaluateDock
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.parts.run_bar import RunState
from tests.app.results import made_up_result

GRID = Grid.from_spacing((18, 16, 14), (0.9, 1.1, 1.7)).transposed()
GROUP = 'moving>fixed>made-up'


def ball(radius: float, shape: tuple[int, ...] = GRID.shape) -> np.ndarray:
    """Return labels: 1 inside, 2 around it."""
    index = np.indices(shape)
    middle = (np.array(shape) - 1).reshape(-1, *[1] * len(shape)) / 2
    distance = np.linalg.norm(index - middle, axis=0)
    labels = np.zeros(shape, np.uint8)
    labels[distance < radius] = 2
    labels[distance < radius - 2] = 1
    return labels


def ref(layer: Labels, frame: int | None = None) -> session.LayerRef:
    return session.LayerRef(str(layer.unique_id), layer.name, frame)


def add_labels(viewer: ViewerModel, name: str, radius: float) -> Labels:
    layer: Labels = viewer.add_labels(
        ball(radius), name=name, **layer_kwargs(GRID)
    )
    return layer


def register(
    viewer: ViewerModel, moving: Labels, group: str = GROUP, **more: Any
) -> RegistrationResult:
    """Pretend a registration of images that belong to the labels."""
    result: Any = made_up_result(GRID)
    warped = result.field.warp_labels(moving.data)
    layers = ResultGroup(viewer, group, 'a → b [m]', layer_kwargs(GRID))
    list(layers.show(layer_specs(result, warped)[0]))
    image = session.LayerRef('image', 'image')
    session.remember(
        session.Run(
            group, 'a → b [m]', image, image, result, ref(moving), **more
        )
    )
    return result


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    for group in (GROUP, 'second'):
        session.forget(group)


@pytest.fixture
def moving(viewer_model: ViewerModel) -> Labels:
    """The labels of the moving image."""
    return add_labels(viewer_model, 'ED labels', 6.5)


@pytest.fixture
def fixed(viewer_model: ViewerModel, moving: Labels) -> Labels:
    """The labels of the fixed image."""
    return add_labels(viewer_model, 'ES labels', 5.0)


@pytest.fixture
def dock(qtbot: Any, viewer_model: ViewerModel) -> EvaluateDock:
    """The dock on a viewer without a window."""
    dock = EvaluateDock(viewer_model)
    qtbot.addWidget(dock)
    return dock


def settle(qtbot: Any, dock: EvaluateDock) -> None:
    """Wait until the dock has noticed what changed."""
    qtbot.wait(1)
    qtbot.waitUntil(lambda: not dock._debounce.isActive())


def run(qtbot: Any, dock: EvaluateDock) -> None:
    """Press the button and wait for the end."""
    settle(qtbot, dock)
    assert dock.run_bar.button.isEnabled(), dock.preflight.text()
    dock.run_bar.button.click()
    assert dock.state is RunState.RUNNING
    qtbot.waitUntil(lambda: not dock.state.busy, timeout=20_000)


def cells(dock: EvaluateDock) -> list[list[str]]:
    table = dock.metrics.table
    return [
        [table.item(i, j).text() for j in range(table.columnCount())]
        for i in range(table.rowCount())
    ]


# ---- choosing ---------------------------------------------------------------


def test_an_empty_viewer_says_what_to_open(dock: EvaluateDock) -> None:
    assert dock.preflight.text() == 'Open the labels of both images.'
    assert not dock.run_bar.button.isEnabled()
    assert dock.metrics.table.isHidden()
    assert not dock.metrics.take.export_button.isEnabled()


def test_two_layers_are_taken_apart(
    fixed: Labels, moving: Labels, dock: EvaluateDock
) -> None:
    assert dock.form.moving.layer() == moving
    assert dock.form.fixed.layer() == fixed
    assert dock.run_bar.button.isEnabled()


def test_layers_that_come_later_are_offered(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    add_labels(viewer_model, 'one', 6)
    settle(qtbot, dock)
    assert 'the same' in dock.preflight.text()
    assert not dock.run_bar.button.isEnabled()
    add_labels(viewer_model, 'two', 5)
    settle(qtbot, dock)
    assert dock.run_bar.button.isEnabled()
    assert 'before registration' in dock.preflight.text()


def test_a_new_registration_is_chosen(
    qtbot: Any,
    viewer_model: ViewerModel,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
) -> None:
    runs = dock.form.runs
    assert runs.run() is None
    register(viewer_model, moving)
    qtbot.waitUntil(lambda: runs.run() is not None)
    assert runs.currentText() == 'a → b [m]'
    register(viewer_model, moving, 'second')
    qtbot.waitUntil(lambda: runs.count() == 3)
    assert runs.currentData() == 'second'
    # labels that a registration made are no reference
    names = {
        side.picker.itemText(i)
        for side in (dock.form.moving, dock.form.fixed)
        for i in range(side.picker.count())
    }
    assert names == {'ED labels', 'ES labels'}
    ResultGroup(viewer_model, 'second').remove()
    qtbot.waitUntil(lambda: runs.count() == 2)
    assert runs.currentData() == GROUP


def test_the_labels_of_the_registration_are_the_moving_ones(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    es = add_labels(viewer_model, 'ES labels', 5)
    ed = add_labels(viewer_model, 'ED labels', 6.5)
    register(viewer_model, ed)
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    assert dock.form.moving.layer() == ed
    assert dock.form.fixed.layer() == es


@pytest.mark.parametrize('hand', ['moving', 'fixed'])
def test_what_was_chosen_by_hand_stays(
    qtbot: Any,
    viewer_model: ViewerModel,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
    hand: str,
) -> None:
    third = add_labels(viewer_model, 'third', 6)
    side = getattr(dock.form, hand)
    index = side.picker.findText('third')
    side.picker.setCurrentIndex(index)
    side.picker.activated.emit(index)
    register(viewer_model, moving)
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    assert side.layer() == third


def test_a_sequence_has_frames(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    frames = np.stack([ball(r) for r in (6.5, 5.5, 5.0)])
    place = layer_kwargs(GRID)
    viewer_model.add_labels(
        frames,
        name='cine',
        scale=(0.05, *place['scale']),
        units=('s', *place['units']),
        axis_labels=('t', *place['axis_labels']),
    )
    dock.show()
    moving, fixed = dock.form.moving, dock.form.fixed
    assert moving.frame() == fixed.frame() == 0
    assert not moving.frame_box.isHidden()
    settle(qtbot, dock)
    assert 'the same' in dock.preflight.text()
    fixed.frame_box.setValue(2)
    run(qtbot, dock)
    assert dock.evaluation is not None
    expected = evaluate(frames[0], frames[2], spacing=GRID.spacing)
    assert dock.evaluation.mean.dsc_before == expected.mean.dsc_before
    assert 'cine[0] → cine[2]' in dock.caption.text()


def test_frames_of_planes_follow_the_registration(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    """3D labels beside a registration of 2D frames are a sequence."""
    flat = Grid.from_spacing((20, 22), (0.5, 0.5)).transposed()
    frames = np.stack([ball(r, flat.shape) for r in (8, 7, 6)])
    layer = viewer_model.add_labels(frames, scale=(1, 0.5, 0.5))
    layer.units = ('pixel', 'mm', 'mm')
    result: Any = made_up_result(flat)
    ResultGroup(viewer_model, GROUP, 'a', layer_kwargs(flat))
    list(
        ResultGroup(viewer_model, GROUP, 'a', layer_kwargs(flat)).show(
            layer_specs(result)[0]
        )
    )
    sides = (session.LayerRef('image', 'image', t) for t in (0, 2))
    session.remember(session.Run(GROUP, 'a', *sides, result))
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    assert dock.form.moving.frame() == 0
    assert dock.form.fixed.frame() == 2
    run(qtbot, dock)
    assert dock.evaluation is not None
    assert dock.evaluation.units == 'mm'
    assert dock.evaluation.mean.dsc_after is not None


# ---- measuring --------------------------------------------------------------


def test_the_table_is_what_evaluate_says(
    qtbot: Any,
    viewer_model: ViewerModel,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
) -> None:
    result = register(viewer_model, moving)
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    run(qtbot, dock)
    expected = evaluate(moving.data, fixed.data, result.field)
    assert dock.evaluation is not None
    assert dock.evaluation.records() == expected.records()
    heads = [
        dock.metrics.table.horizontalHeaderItem(j).text()
        for j in range(dock.metrics.table.columnCount())
    ]
    assert heads == ['Label', 'DSC', 'HD\n(mm)', 'HD95\n(mm)', 'ASD\n(mm)']
    shown = cells(dock)
    assert [row[0] for row in shown] == ['1', '2', 'mean']
    for row, metrics in zip(shown, (*expected, expected.mean), strict=True):
        assert row[1] == (
            f'{metrics.dsc_before:.3f}\n→ {metrics.dsc_after:.3f}'
        )
        assert row[2] == f'{metrics.hd_before:.1f}\n→ {metrics.hd_after:.1f}'
    assert f'Folded voxels: {expected.folded_percent:.3g} %' in (
        dock.metrics.remarks.text()
    )
    assert 'ED labels → ES labels' in dock.caption.text()
    assert dock.metrics.remarks.kind is Kind.INFO


def test_without_a_registration_after_is_empty(
    qtbot: Any, moving: Labels, fixed: Labels, dock: EvaluateDock
) -> None:
    run(qtbot, dock)
    assert all(row[1].endswith('→ –') for row in cells(dock))
    assert 'not registered' in dock.caption.text()


def test_pixels_are_measured_in_voxels(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    for radius in (6, 5):
        viewer_model.add_labels(ball(radius))
    settle(qtbot, dock)
    assert 'no physical size known' in dock.preflight.text()
    run(qtbot, dock)
    assert dock.metrics.table.horizontalHeaderItem(2).text() == 'HD\n(voxels)'


def test_a_missing_label_is_flagged(
    qtbot: Any, moving: Labels, fixed: Labels, dock: EvaluateDock
) -> None:
    fixed.data = np.where(fixed.data == 1, 0, fixed.data)
    run(qtbot, dock)
    first, second, _ = cells(dock)
    assert first[0] == '⚠ 1'
    assert second[0] == '2'
    assert 'missing in fixed' in dock.metrics.table.item(0, 1).toolTip()
    assert 'Label 1: missing in fixed' in dock.metrics.remarks.text()
    assert dock.metrics.remarks.kind is Kind.WARNING


def test_the_warped_labels_get_the_metrics_and_no_other_layer(
    qtbot: Any,
    viewer_model: ViewerModel,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
) -> None:
    register(viewer_model, moving)
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    before = [(x.features.copy(), x.data.copy()) for x in (moving, fixed)]
    run(qtbot, dock)
    layer = ResultGroup(viewer_model, GROUP).layers()[Role.LABELS]
    assert list(layer.features['index']) == [1, 2]
    assert dock.evaluation is not None
    assert list(layer.features['DSC after']) == [
        row.dsc_after for row in dock.evaluation
    ]
    for (features, data), theirs in zip(before, (moving, fixed), strict=True):
        assert theirs.features.equals(features)
        assert np.array_equal(theirs.data, data)


def test_labels_that_were_not_warped_leave_the_features_alone(
    qtbot: Any,
    viewer_model: ViewerModel,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
) -> None:
    other = add_labels(viewer_model, 'other', 6)
    register(viewer_model, other)
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    dock.form.moving.picker.choose(moving)
    run(qtbot, dock)
    layer = ResultGroup(viewer_model, GROUP).layers()[Role.LABELS]
    assert 'DSC after' not in layer.features


# ---- what can be wrong ------------------------------------------------------


def test_planes_and_volumes_do_not_mix(
    qtbot: Any, viewer_model: ViewerModel, moving: Labels, dock: EvaluateDock
) -> None:
    viewer_model.add_labels(ball(5, (20, 22)))
    settle(qtbot, dock)
    assert '3 axes' in dock.preflight.text()
    assert dock.preflight.kind is Kind.WARNING
    assert not dock.run_bar.button.isEnabled()


def test_labels_elsewhere_are_refused(
    qtbot: Any, viewer_model: ViewerModel, moving: Labels, dock: EvaluateDock
) -> None:
    place = layer_kwargs(GRID)
    place['translate'] = np.array([500.0, 0, 0])
    viewer_model.add_labels(ball(5), **place)
    settle(qtbot, dock)
    assert 'different places' in dock.preflight.text()


def test_a_registration_of_something_else_is_refused(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    layers = [viewer_model.add_labels(ball(r, (20, 22))) for r in (6.0, 5.0)]
    third = add_labels(viewer_model, 'third', 6)
    dock.form.moving.picker.choose(layers[0])
    dock.form.moving.picker.activated.emit(0)
    dock.form.fixed.picker.choose(layers[1])
    register(viewer_model, third)
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    settle(qtbot, dock)
    assert '2 axes, the registration 3' in dock.preflight.text()


def test_empty_labels_are_one_sentence(
    qtbot: Any, moving: Labels, fixed: Labels, dock: EvaluateDock
) -> None:
    fixed.data = np.zeros_like(fixed.data)
    run(qtbot, dock)
    assert dock.state is RunState.FAILED
    assert 'fixed labels are empty' in dock.caption.text()
    assert dock.caption.kind is Kind.ERROR
    assert dock.evaluation is None
    assert dock.metrics.table.isHidden()


@pytest.mark.parametrize('error', [RuntimeError, ValueError, MemoryError])
def test_a_failure_in_the_worker_reaches_the_dock(
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
    error: type[Exception],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error('made up')

    monkeypatch.setattr(layer_evaluation, 'evaluate_on_grids', fail)
    run(qtbot, dock)
    assert dock.state is RunState.FAILED
    assert dock.caption.kind is Kind.ERROR
    assert dock.caption.text().endswith('.')
    monkeypatch.undo()
    run(qtbot, dock)
    assert dock.state is RunState.DONE


def test_cancelling_changes_nothing(
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
) -> None:
    started = Event()

    def wait(*_: object, **__: object) -> None:
        started.set()
        cancel = dock._runner._worker.cancel
        assert cancel.wait(20)
        raise CancelledError

    monkeypatch.setattr(layer_evaluation, 'evaluate_on_grids', wait)
    dock.run_bar.button.click()
    qtbot.waitUntil(started.is_set)
    assert dock.run_bar.button.text() == 'Cancel'
    assert not dock.form.isEnabled()
    dock.run_bar.button.click()
    assert dock.state is RunState.CANCELLING
    qtbot.waitUntil(lambda: not dock.state.busy)
    assert dock.state is RunState.IDLE
    assert dock.caption.text() == 'Cancelled.'
    assert dock.form.isEnabled()
    assert dock.evaluation is None


def test_layers_may_disappear_while_it_measures(
    qtbot: Any,
    viewer_model: ViewerModel,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
) -> None:
    register(viewer_model, moving)
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    settle(qtbot, dock)
    dock.run_bar.button.click()
    viewer_model.layers.clear()
    qtbot.waitUntil(lambda: not dock.state.busy, timeout=20_000)
    assert dock.state is RunState.DONE
    assert len(cells(dock)) == 3
    assert len(viewer_model.layers) == 0
    settle(qtbot, dock)
    assert not dock.run_bar.button.isEnabled()


# ---- taking it away ---------------------------------------------------------


@pytest.fixture
def evaluated(
    qtbot: Any, moving: Labels, fixed: Labels, dock: EvaluateDock
) -> EvaluateDock:
    """A dock that shows a table."""
    run(qtbot, dock)
    return dock


@pytest.mark.parametrize(
    ('chosen', 'written'),
    [('a.csv', 'a.csv'), ('a', 'a.csv'), ('a.md', 'a.md')],
)
def test_the_table_is_exported(
    monkeypatch: pytest.MonkeyPatch,
    evaluated: EvaluateDock,
    tmp_path: Path,
    chosen: str,
    written: str,
) -> None:
    answer = (str(tmp_path / chosen), '')
    monkeypatch.setattr(QFileDialog, 'getSaveFileName', lambda *_: answer)
    evaluated.metrics.take.export_button.click()
    path = tmp_path / written
    assert f'Wrote {path}' == evaluated.caption.text()
    text = path.read_text(encoding='utf-8')
    if path.suffix == '.md':
        assert text.startswith('| label |')
        return
    rows = list(csv.DictReader(text.splitlines()))
    assert evaluated.evaluation is not None
    first = evaluated.evaluation.rows[0]
    assert float(rows[0]['DSC before']) == first.dsc_before


def test_no_name_exports_nothing(
    monkeypatch: pytest.MonkeyPatch, evaluated: EvaluateDock
) -> None:
    before = evaluated.caption.text()
    monkeypatch.setattr(QFileDialog, 'getSaveFileName', lambda *_: ('', ''))
    evaluated.metrics.take.export_button.click()
    assert evaluated.caption.text() == before


@pytest.mark.parametrize('name', ['no/folder/a.csv', 'a.xlsx'])
def test_an_export_that_fails_is_explained(
    evaluated: EvaluateDock, tmp_path: Path, name: str
) -> None:
    evaluated.metrics.take.export(str(tmp_path / name))
    assert evaluated.caption.kind is Kind.ERROR
    assert list(tmp_path.iterdir()) == []


def test_the_table_is_copied_for_spreadsheets(
    evaluated: EvaluateDock,
) -> None:
    evaluated.metrics.take.copy_buttons[0].click()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    lines = [line.split('\t') for line in clipboard.text().splitlines()]
    assert lines[0][:3] == ['label', 'name', 'DSC before']
    assert [line[0] for line in lines[1:]] == ['1', '2', 'mean']
    assert evaluated.evaluation is not None
    assert float(lines[1][2]) == evaluated.evaluation.rows[0].dsc_before


# ---- the dock itself --------------------------------------------------------


def test_everything_has_a_name_and_a_tooltip(evaluated: EvaluateDock) -> None:
    for name in (
        'moving_labels',
        'fixed_labels',
        'registration',
        'evaluate_button',
        'export_metrics',
        'copy_table_metrics',
    ):
        widget = evaluated.findChild(QWidget, name)
        assert widget is not None, name
        assert widget.toolTip(), name
    assert evaluated.findChild(QWidget, 'metrics') is evaluated.metrics.table
    table = evaluated.metrics.table
    for column in range(table.columnCount()):
        assert table.horizontalHeaderItem(column).toolTip()


def test_the_table_needs_no_wide_dock(evaluated: EvaluateDock) -> None:
    assert evaluated.minimumSizeHint().width() < 400


def test_renaming_a_layer_keeps_the_choice(
    fixed: Labels, moving: Labels, dock: EvaluateDock
) -> None:
    moving.name = 'renamed'
    assert dock.form.moving.layer() == moving
    assert dock.form.moving.picker.currentText() == 'renamed'


def test_a_closed_dock_lets_go_of_the_viewer(
    qtbot: Any, viewer_model: ViewerModel, moving: Labels, fixed: Labels
) -> None:
    def listeners() -> int:
        events = viewer_model.layers.events
        return sum(
            len(events.emitters[name].callbacks)
            for name in ('inserted', 'removed', 'reordered', 'renamed')
        )

    before = listeners()
    dock = EvaluateDock(viewer_model)
    assert listeners() > before
    dock.close()
    assert listeners() == before
    # and comes back when it is shown again
    dock.show()
    assert listeners() > before
    dock.close()
    gone = weakref.ref(dock)
    dock.deleteLater()
    del dock
    qtbot.wait(10)
    gc.collect()
    assert gone() is None


def test_closing_while_it_measures_is_quiet(
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    viewer_model: ViewerModel,
    moving: Labels,
    fixed: Labels,
    dock: EvaluateDock,
) -> None:
    started, release, finished = Event(), Event(), Event()

    def wait(*_: object, **__: object) -> None:
        started.set()
        release.wait(20)
        finished.set()
        raise CancelledError

    monkeypatch.setattr(layer_evaluation, 'evaluate_on_grids', wait)
    dock.run_bar.button.click()
    cancel = dock._runner._worker.cancel
    qtbot.waitUntil(started.is_set)
    dock.close()
    assert cancel.is_set()
    release.set()
    qtbot.waitUntil(finished.is_set)
    qtbot.wait(50)
    assert dock.evaluation is None
    assert not dock.state.busy
