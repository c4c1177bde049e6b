"""The pages of the Evaluate dock, by clicks, without a window of napari."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget

from napari_adacs.app import session, surface_layer
from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.surface_layer import SURFACE_KEY
from napari_adacs.widgets.evaluate_dock import EvaluateDock
from napari_adacs.widgets.parts.message import Kind
from tests.widgets.test_evaluate_dock import (
    GRID,
    GROUP,
    add_labels,
    ball,
    register,
    run,
    settle,
)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    session.forget(GROUP)


@pytest.fixture
def dock(qtbot: Any, viewer_model: ViewerModel) -> EvaluateDock:
    """A dock that shows the table of a registered pair of volumes."""
    moving = add_labels(viewer_model, 'ED labels', 6.5)
    add_labels(viewer_model, 'ES labels', 5.0)
    dock = EvaluateDock(viewer_model)
    qtbot.addWidget(dock)
    dock.resize(360, 900)
    dock.show()
    register(viewer_model, moving)
    qtbot.waitUntil(lambda: dock.form.runs.run() is not None)
    run(qtbot, dock)
    return dock


def click_tab(qtbot: Any, dock: EvaluateDock, page: QWidget) -> None:
    bar = dock.tabs.bar
    place = bar.tabRect(dock.tabs.pages.index(page)).center()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(page.isVisible)


def click(qtbot: Any, dock: EvaluateDock, name: str) -> None:
    button = dock.findChild(QPushButton, name)
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def point_at(qtbot: Any, dock: EvaluateDock, index: int) -> None:
    QApplication.processEvents()
    plot = dock.slices.plot
    where = QPoint(plot.place_of(index), 60)
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=where)


# ---- slices -----------------------------------------------------------------


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 0, 1)])
def test_a_click_shows_the_slice(
    qtbot: Any,
    viewer_model: ViewerModel,
    dock: EvaluateDock,
    order: tuple[int, ...],
) -> None:
    viewer_model.dims.order = order
    axis, fixed = order[0], viewer_model.layers['ES labels']
    point_at(qtbot, dock, 6)
    assert fixed._data_slice.point[axis] == pytest.approx(6)
    assert dock.slices.plot.cursors[0].value() == pytest.approx(6)
    assert dock.slices.note.text().startswith(f'{"zyx"[axis]} 6: DSC')


def test_the_cursor_follows_the_viewer(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    viewer_model.dims.set_current_step(0, 5)
    index = dock.slices.plot.cursors[1].value()
    fixed = viewer_model.layers['ES labels']
    assert index == pytest.approx(fixed._data_slice.point[0])
    curves = dock.slices._view.curves(None)
    before = curves.values('dsc')[0][round(index)]
    assert f'DSC {before:.3f} →' in dock.slices.note.text()


def test_a_row_of_the_table_chooses_the_label(
    qtbot: Any, dock: EvaluateDock
) -> None:
    assert dock.slices.label.value() is None
    table = dock.metrics.table
    place = table.visualItemRect(table.item(1, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert dock.slices.label.value() == 2
    assert dock.surface.label.value() == 2
    expected = dock.slices._view.curves(2).values('dsc')[1]
    drawn = dock.slices.plot.curves['dsc', 'after'].getOriginalDataset()[1]
    assert np.array_equal(drawn, expected, equal_nan=True)


def test_another_distance(qtbot: Any, dock: EvaluateDock) -> None:
    dock.slices.distance.setCurrentText('HD')
    drawn = dock.slices.plot.curves['far', 'before'].getOriginalDataset()[1]
    expected = dock.slices._view.curves(None).values('hd')[0]
    assert np.array_equal(drawn, expected, equal_nan=True)
    assert 'HD' in dock.slices.note.text()
    assert 'mm' in dock.slices.note.text()


def test_slices_are_exported_and_copied(
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    dock: EvaluateDock,
    tmp_path: Path,
) -> None:
    answer = (str(tmp_path / 'a.md'), '')
    monkeypatch.setattr(QFileDialog, 'getSaveFileName', lambda *_: answer)
    click(qtbot, dock, 'export_slices')
    text = (tmp_path / 'a.md').read_text(encoding='utf-8')
    assert text.startswith('| label | slice |')
    click(qtbot, dock, 'copy_table_slices')
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].startswith('label\tslice\tDSC before')
    assert 'clipboard' in dock.caption.text()


def test_planes_have_no_slices(qtbot: Any, viewer_model: ViewerModel) -> None:
    for radius in (6, 5):
        viewer_model.add_labels(ball(radius, (20, 18)))
    dock = EvaluateDock(viewer_model)
    qtbot.addWidget(dock)
    dock.show()
    run(qtbot, dock)
    assert 'no slices' in dock.slices.note.text()
    assert dock.slices.plot is None
    assert not dock.slices.take.export_button.isEnabled()


def test_another_theme_repaints(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    before = dock.slices.plot.palette_used
    viewer_model.theme = 'light'
    assert dock.slices.plot.palette_used != before
    point_at(qtbot, dock, 7)
    assert dock.slices.plot.cursors[0].value() == pytest.approx(7)


# ---- surface ----------------------------------------------------------------


def surfaces(viewer: ViewerModel) -> list[Any]:
    return [x for x in viewer.layers if SURFACE_KEY in x.metadata]


def test_the_surface_comes_is_recoloured_and_goes(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    shown = {x.name for x in viewer_model.layers if x.visible}
    click_tab(qtbot, dock, dock.surface)
    click(qtbot, dock, 'surface_button')
    qtbot.waitUntil(lambda: not dock.surface.state.busy, timeout=20_000)
    (layer,) = surfaces(viewer_model)
    qtbot.waitUntil(lambda: viewer_model.dims.ndisplay == 3)
    qtbot.waitUntil(lambda: layer.colorbar.visible)
    assert 'after' in layer.name
    assert 'Before: mean' in dock.surface.note.text()
    dock.surface.before.click()
    assert surfaces(viewer_model) == [layer]
    assert np.allclose(
        layer.vertex_values, dock.surface.surface.distances['before']
    )
    click(qtbot, dock, 'surface_back')
    assert viewer_model.dims.ndisplay == 2
    assert {x.name for x in viewer_model.layers if x.visible} == shown
    assert not dock.surface.back.isEnabled()


def test_a_missing_label_has_no_surface(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    fixed = viewer_model.layers['ES labels']
    fixed.data = np.where(fixed.data == 1, 0, fixed.data)
    run(qtbot, dock)
    click_tab(qtbot, dock, dock.surface)
    dock.surface.label.choose(1)
    click(qtbot, dock, 'surface_button')
    qtbot.waitUntil(lambda: not dock.surface.state.busy, timeout=20_000)
    assert dock.surface.note.kind is Kind.ERROR
    assert 'missing in the fixed' in dock.surface.note.text()
    assert surfaces(viewer_model) == []


def test_measuring_a_surface_can_be_cancelled(
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    viewer_model: ViewerModel,
    dock: EvaluateDock,
) -> None:
    started = Event()

    def wait(mesh: Any, other: Any, spacing: Any, progress: Any) -> None:
        started.set()
        while True:
            progress(0.1)
            time.sleep(0.01)

    monkeypatch.setattr(surface_layer, 'mesh_distances', wait)
    click_tab(qtbot, dock, dock.surface)
    click(qtbot, dock, 'surface_button')
    qtbot.waitUntil(started.is_set)
    assert dock.surface.run_bar.button.text() == 'Cancel'
    click(qtbot, dock, 'surface_button')
    qtbot.waitUntil(lambda: not dock.surface.state.busy)
    assert dock.surface.note.text() == 'Cancelled.'
    assert surfaces(viewer_model) == []


def test_another_evaluation_leaves_the_old_surface_alone(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    click_tab(qtbot, dock, dock.surface)
    click(qtbot, dock, 'surface_button')
    qtbot.waitUntil(lambda: len(surfaces(viewer_model)) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: not dock.surface.state.busy)
    (layer,) = surfaces(viewer_model)
    values = layer.vertex_values.copy()
    run(qtbot, dock)
    dock.surface.before.click()
    assert np.array_equal(layer.vertex_values, values)
    click(qtbot, dock, 'surface_button')
    qtbot.waitUntil(lambda: 'before' in layer.name, timeout=20_000)
    assert surfaces(viewer_model) == [layer]


# ---- uncertainty ------------------------------------------------------------


def test_the_map_is_judged_when_its_page_is_shown(
    qtbot: Any, dock: EvaluateDock
) -> None:
    assert dock.trust.table is None
    click_tab(qtbot, dock, dock.trust)
    qtbot.waitUntil(lambda: dock.trust.table is not None, timeout=20_000)
    assert dock.trust.note.text().startswith('AUSE')
    first = dock.trust.table
    dock.trust.region.setCurrentText('fixed labels')
    qtbot.waitUntil(lambda: dock.trust.table is not first, timeout=20_000)
    assert len(dock.trust.table.curves.fractions) < len(first.curves.fractions)
    click(qtbot, dock, 'copy_table_sparsification')
    assert 'removed fraction' in QApplication.clipboard().text()


def test_without_a_registration_there_is_nothing_to_judge(
    qtbot: Any, dock: EvaluateDock
) -> None:
    click_tab(qtbot, dock, dock.trust)
    qtbot.waitUntil(lambda: dock.trust.table is not None, timeout=20_000)
    dock.form.runs.choose_key('')
    settle(qtbot, dock)
    assert 'Choose a registration' in dock.trust.note.text()
    assert dock.trust.plot.isHidden()
    assert not dock.trust.take.export_button.isEnabled()


def test_another_theme_repaints_the_curves(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    click_tab(qtbot, dock, dock.trust)
    qtbot.waitUntil(lambda: dock.trust.plot is not None, timeout=20_000)
    before = dock.trust.plot.palette_used
    viewer_model.theme = 'light'
    qtbot.waitUntil(lambda: dock.trust.plot is not None, timeout=20_000)
    assert dock.trust.plot.palette_used != before


def test_a_region_that_is_gone_is_explained(
    qtbot: Any, dock: EvaluateDock
) -> None:
    click_tab(qtbot, dock, dock.trust)
    dock.trust.region.setCurrentText('image above 0')
    assert 'no longer there' in dock.trust.note.text()
    assert dock.trust.note.kind is Kind.WARNING


# ---- landmarks --------------------------------------------------------------


def test_landmarks_are_measured_as_they_move(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    click_tab(qtbot, dock, dock.landmarks)
    note = dock.landmarks.note
    qtbot.waitUntil(lambda: 'two Points layers' in note.text())
    place = layer_kwargs(GRID)
    points = np.array([[5.0, 6, 7], [8, 8, 8]])
    viewer_model.add_points(points + 1, name='ED points', **place)
    fixed = viewer_model.add_points(points, name='ES points', **place)
    page = dock.landmarks
    qtbot.waitUntil(lambda: page.result is not None)
    assert page.fixed.layer() is fixed
    step = np.linalg.norm(GRID.spacing)
    assert page.result.errors.before == pytest.approx([step, step])
    assert page.table.item(0, 1).text() == f'{step:.2f}'
    assert page.table.item(0, 2).text() != '–'
    fixed.data = points + [[1, 1, 1], [0, 0, 0]]
    qtbot.waitUntil(lambda: page.result.errors.before[0] < 1e-6)
    place = page.table.visualItemRect(page.table.item(1, 0)).center()
    qtbot.mouseClick(
        page.table.viewport(), Qt.MouseButton.LeftButton, pos=place
    )
    world = fixed.data_to_world(points[1])
    assert viewer_model.dims.point == pytest.approx(world)
    click(qtbot, dock, 'copy_table_landmarks')
    assert 'TRE before' in QApplication.clipboard().text()
    viewer_model.layers.remove(fixed)
    qtbot.waitUntil(lambda: page.result is None)
    assert page.table.isHidden()


# ---- names ------------------------------------------------------------------


def test_labels_are_matched_by_name(
    qtbot: Any, viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    moving: Labels = viewer_model.layers['ED labels']
    fixed: Labels = viewer_model.layers['ES labels']
    expected = dock.evaluation.mean.dsc_before
    swapped = np.array([0, 2, 1], np.uint8)
    moving.data = swapped[np.asarray(moving.data)]
    dock.form.match.setCurrentText('name')
    settle(qtbot, dock)
    assert 'no names' in dock.preflight.text()
    moving.features = {'index': [2, 1], 'name': ['Inner', 'Outer']}
    fixed.features = {'index': [1, 2], 'name': ['inner', 'outer']}
    dock.form.changed.emit()
    run(qtbot, dock)
    assert dock.evaluation.mean.dsc_before == pytest.approx(expected)
    assert [row.name for row in dock.evaluation] == ['inner', 'outer']
    assert dock.metrics.table.item(0, 0).text() == '1 inner'


# ---- all pages --------------------------------------------------------------


def test_every_page_fits_a_narrow_dock(qtbot: Any, dock: EvaluateDock) -> None:
    for page in dock.tabs.pages:
        click_tab(qtbot, dock, page)
        qtbot.wait(20)
        assert dock.minimumSizeHint().width() < 320, page


def test_every_control_has_a_tooltip(dock: EvaluateDock) -> None:
    names = (
        'match_labels',
        'slice_label',
        'slice_distance',
        'slice_plot',
        'export_slices',
        'surface_label',
        'surface_before',
        'surface_after',
        'surface_button',
        'surface_back',
        'trust_map',
        'trust_region',
        'export_sparsification',
        'landmarks',
        'export_landmarks',
        'copy_markdown_metrics',
    )
    for name in names:
        widget = dock.findChild(QWidget, name)
        assert widget is not None, name
        assert widget.toolTip(), name
    bar = dock.tabs.bar
    assert all(bar.tabToolTip(i) for i in range(bar.count()))


def test_a_closed_dock_leaves_dims_and_points_alone(
    viewer_model: ViewerModel, dock: EvaluateDock
) -> None:
    points = viewer_model.add_points(np.zeros((1, 3)))
    events = (
        viewer_model.dims.events.point,
        viewer_model.dims.events.order,
        viewer_model.events.theme,
        points.events.data,
    )
    following = [len(event.callbacks) for event in events]
    dock.close()
    after = [len(event.callbacks) for event in events]
    assert all(a < b for a, b in zip(after, following, strict=True))
