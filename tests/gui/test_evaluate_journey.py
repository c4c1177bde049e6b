"""Sample, Register, Evaluate, Remove: in a real window, by real clicks."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.result_layers import tag
from napari_adacs.evaluation.report import evaluate
from tests.small_models import save_small_model

SRC = Path(__file__).parents[2] / 'src' / 'napari_adacs'
PLUGIN = 'napari-adacs'


@pytest.fixture
def viewer(
    make_napari_viewer_proxy: Any,
    npe2pm: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Any]:
    """A real viewer as a plugin sees it, with us in it."""
    save_small_model(tmp_path, 3)
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path))
    with npe2pm.tmp_plugin(manifest=str(SRC / 'napari.yaml')):
        yield make_napari_viewer_proxy(show=True)


def click(qtbot: Any, dock: QWidget, name: str) -> None:
    button = dock.findChild(QPushButton, name)
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def finish(qtbot: Any, dock: Any) -> None:
    qtbot.waitUntil(lambda: not dock.state.busy, timeout=60_000)


def result_layer(viewer: Any, role: Role) -> Any:
    for layer in viewer.layers:
        about = tag(layer)
        if about is not None and about['role'] == role.value:
            return layer
    return None


def test_from_the_sample_to_the_table_and_back(
    qtbot: Any,
    viewer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    viewer.open_sample(PLUGIN, 'echo3d')
    window = viewer.window
    _, register = window.add_plugin_dock_widget(PLUGIN, 'Register')
    _, dock = window.add_plugin_dock_widget(PLUGIN, 'Evaluate', tabify=True)
    moving = viewer.layers['echo3d_ED_labels']
    fixed = viewer.layers['echo3d_ES_labels']

    # before: nothing is registered yet
    click(qtbot, dock, 'evaluate_button')
    finish(qtbot, dock)
    before = dock.evaluation
    assert before.mean.dsc_after is None
    expected = evaluate(moving.data, fixed.data)
    assert before.mean.dsc_before == expected.mean.dsc_before

    # register, with the labels
    register.form.labels.choose(moving)
    click(qtbot, register, 'register_button')
    finish(qtbot, register)
    assert register.last_result is not None, register.results.message.text()
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    assert 'echo3d_ED → echo3d_ES' in dock.form.runs.currentText()

    # after
    click(qtbot, dock, 'evaluate_button')
    finish(qtbot, dock)
    after = dock.evaluation
    expected = evaluate(moving.data, fixed.data, register.last_result.field)
    assert after.records() == expected.records()
    assert after.units == 'mm'
    assert dock.metrics.table.isVisible()
    warped = result_layer(viewer, Role.LABELS)
    assert list(warped.features['index']) == [1, 2, 3]
    assert list(warped.features['DSC after']) == [r.dsc_after for r in after]
    assert np.array_equal(
        warped.data, register.last_result.field.warp_labels(moving.data)
    )

    # take it along
    path = tmp_path / 'metrics.csv'
    answer = (str(path), '')
    monkeypatch.setattr(QFileDialog, 'getSaveFileName', lambda *_: answer)
    click(qtbot, dock, 'export_metrics')
    with path.open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [row['label'] for row in rows] == ['1', '2', '3', 'mean']

    # save the field from the menu's writer: all of it, not the arrows
    arrows = result_layer(viewer, Role.DISPLACEMENT)
    saved = arrows.save(str(tmp_path / 'field.nii.gz'), plugin=PLUGIN)
    assert saved

    # remove: the table stays, the choice goes
    click(qtbot, register, 'remove_results')
    qtbot.waitUntil(lambda: dock.form.runs.run() is None)
    assert len(viewer.layers) == 4
    assert dock.evaluation is after
    click(qtbot, dock, 'evaluate_button')
    finish(qtbot, dock)
    assert dock.evaluation.mean.dsc_after is None


def test_the_window_outlives_a_dock_closed_at_work(
    qtbot: Any, viewer: Any
) -> None:
    viewer.open_sample(PLUGIN, 'echo3d')
    frame, dock = viewer.window.add_plugin_dock_widget(PLUGIN, 'Evaluate')
    click(qtbot, dock, 'evaluate_button')
    viewer.window.remove_dock_widget(dock)
    qtbot.wait(300)
    assert dock.evaluation is None
    assert not dock.state.busy
    viewer.layers.pop()
    assert len(viewer.layers) == 3
    # and may come again
    _, again = viewer.window.add_plugin_dock_widget(PLUGIN, 'Evaluate')
    qtbot.waitUntil(lambda: bool(again.preflight.text()))
    assert 'the same' in again.preflight.text()


def test_a_layer_deleted_while_the_dock_is_open(
    qtbot: Any, viewer: Any
) -> None:
    viewer.open_sample(PLUGIN, 'echo3d')
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, 'Evaluate')
    button = dock.findChild(QPushButton, 'evaluate_button')
    qtbot.waitUntil(button.isEnabled)
    viewer.layers.remove(viewer.layers['echo3d_ED_labels'])
    qtbot.waitUntil(lambda: not button.isEnabled())
    viewer.layers.remove(viewer.layers['echo3d_ES_labels'])
    qtbot.waitUntil(
        lambda: dock.preflight.text() == 'Open the labels of both images.'
    )


# ---- the pages below the table ----------------------------------------------


def click_tab(qtbot: Any, dock: Any, page: QWidget) -> None:
    bar = dock.tabs.bar
    place = bar.tabRect(dock.tabs.pages.index(page)).center()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(page.isVisible)


def open_docks(qtbot: Any, viewer: Any, moving: str) -> Any:
    """Register and evaluate what is open; return the Evaluate dock."""
    window = viewer.window
    _, register = window.add_plugin_dock_widget(PLUGIN, 'Register')
    _, dock = window.add_plugin_dock_widget(PLUGIN, 'Evaluate', tabify=True)
    register.form.labels.choose(viewer.layers[moving])
    click(qtbot, register, 'register_button')
    finish(qtbot, register)
    assert register.last_result is not None, register.results.message.text()
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    dock.parent().raise_()
    click(qtbot, dock, 'evaluate_button')
    finish(qtbot, dock)
    return dock


def slice_of(viewer: Any, layer: Any, axis: int) -> float:
    return float(layer.world_to_data(viewer.dims.point)[axis])


def go_through_the_pages(
    qtbot: Any, viewer: Any, dock: Any, fixed: Any
) -> None:
    """Click through slices, surface, uncertainty and landmarks."""
    # a click on the plot shows that slice, in two orders of the axes
    for order in ((0, 1, 2), (2, 0, 1)):
        viewer.dims.order = order
        axis, plot = order[0], dock.slices.plot
        qtbot.wait(100)
        voxels = np.argwhere(np.asarray(fixed.data) > 0)
        index = int(np.median(voxels[:, axis])) + 2
        where = QPoint(plot.place_of(index), 50)
        qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
        # the sliders of a window have steps of their own
        assert round(slice_of(viewer, fixed, axis)) == index
        # and the viewer moves the cursor
        viewer.dims.set_point(axis, viewer.dims.range[axis].start)
        expected = slice_of(viewer, fixed, axis)
        assert plot.cursors[0].value() == pytest.approx(expected, abs=1e-3)
    viewer.dims.order = (0, 1, 2)

    shown = {x.name for x in viewer.layers if x.visible}
    click_tab(qtbot, dock, dock.surface)
    click(qtbot, dock, 'surface_button')
    finish(qtbot, dock.surface)
    qtbot.waitUntil(lambda: viewer.dims.ndisplay == 3)
    layer = viewer.layers[-1]
    label = dock.surface.label.value()
    places = np.array([layer.data_to_world(x) for x in layer.data[0]])
    inside = np.argwhere(np.asarray(fixed.data) == label)
    voxels = np.array([fixed.data_to_world(x) for x in inside])
    assert np.all(np.abs(places.min(0) - voxels.min(0)) < fixed.scale)
    assert np.all(np.abs(places.max(0) - voxels.max(0)) < fixed.scale)
    assert layer.units == fixed.units
    row = next(r for r in dock.evaluation if r.label == label)
    assert layer.vertex_values.mean() == pytest.approx(row.asd_after, rel=0.3)
    click(qtbot, dock, 'surface_back')
    assert {x.name for x in viewer.layers if x.visible} == shown

    click_tab(qtbot, dock, dock.trust)
    qtbot.waitUntil(lambda: not dock.trust.busy, timeout=20_000)
    assert dock.trust.note.text().startswith('AUSE')
    dock.trust.region.setCurrentText('fixed labels')
    qtbot.waitUntil(lambda: not dock.trust.busy, timeout=20_000)
    assert f'{len(np.argwhere(fixed.data)):,} voxels' in dock.trust.note.text()

    click_tab(qtbot, dock, dock.landmarks)
    place = layer_kwargs(fixed)
    field = dock.form.runs.run().result.field
    points = inside[:: max(1, len(inside) // 7)].astype(float)
    for data in (field.pull_points(points), points):
        viewer.add_points(data, **place)
    qtbot.waitUntil(lambda: dock.landmarks.result is not None)
    assert dock.landmarks.result.errors.after.max() < 0.01
    assert dock.landmarks.table.isVisible()


def test_the_pages_of_the_sample(qtbot: Any, viewer: Any) -> None:
    viewer.open_sample(PLUGIN, 'echo3d')
    dock = open_docks(qtbot, viewer, 'echo3d_ED_labels')
    fixed = viewer.layers['echo3d_ES_labels']
    go_through_the_pages(qtbot, viewer, dock, fixed)


def test_the_pages_of_a_real_heart(
    qtbot: Any, viewer: Any, shared_data: Path
) -> None:
    for name in ('ED', 'ES', 'ED_label', 'ES_label'):
        viewer.open(
            str(shared_data / 'mitea-034' / f'{name}.nii.gz'), plugin=PLUGIN
        )
    dock = open_docks(qtbot, viewer, 'ED_label')
    assert dock.evaluation.mean.dsc_before == pytest.approx(0.552, abs=2e-3)
    go_through_the_pages(qtbot, viewer, dock, viewer.layers['ES_label'])
