"""The Review dock, without a window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels, Points
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QPushButton, QWidget

from napari_adacs.app import session
from napari_adacs.app.review.landmarks import LANDMARKS_KEY
from napari_adacs.app.review.store import load_review
from napari_adacs.app.review.verdicts import Verdict
from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.register_dock import RegisterDock
from napari_adacs.widgets.review_dock import ReviewDock
from tests.app.pairs import SHAPE, add_pair
from tests.app.review.runs import shown_run
from tests.small_models import save_small_model

LONG = 30_000


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small models, a session and a folder of reviews of our own."""
    folder = tmp_path / 'models'
    folder.mkdir()
    for ndim in (2, 3):
        save_small_model(folder, ndim)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', folder / 'none'
    )
    monkeypatch.setattr(session, '_RUNS', {})
    monkeypatch.setattr(session, '_LISTENERS', [])
    monkeypatch.setenv('NAPARI_ADACS_REVIEWS', str(tmp_path / 'reviews'))
    return tmp_path


@pytest.fixture
def dock(viewer_model: ViewerModel, qtbot: Any) -> ReviewDock:
    """A dock beside a viewer with a result."""
    shown_run(viewer_model, labels=True)
    made = ReviewDock(viewer_model)
    qtbot.addWidget(made)
    _wait(qtbot, made)
    return made


def _wait(qtbot: Any, dock: ReviewDock) -> None:
    qtbot.waitUntil(lambda: dock.desk is not None, timeout=LONG)
    qtbot.wait(20)


def _click(qtbot: Any, dock: QWidget, name: str) -> None:
    button = dock.findChild(QPushButton, name)
    assert button is not None
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.wait(20)


def _registered(viewer: ViewerModel, qtbot: Any) -> None:
    add_pair(viewer)
    register = RegisterDock(viewer)
    qtbot.addWidget(register)
    register.register()
    qtbot.waitUntil(lambda: not register.state.busy, timeout=LONG)
    register.close()


def test_without_a_result(viewer_model: ViewerModel, qtbot: Any) -> None:
    dock = ReviewDock(viewer_model)
    qtbot.addWidget(dock)
    assert 'Register two images' in dock.message.text()
    assert dock.desk is None
    assert not dock.tabs.isEnabled()
    for keys in dock.keys.listing().values():
        assert all(keys.values())
    # no key fails for want of a result
    for part in (dock.slices, dock.refine):
        for _, action in part.keys().values():
            action()


def test_buttons_decide(dock: ReviewDock, qtbot: Any) -> None:
    dock.desk.go(4)
    qtbot.wait(20)
    _click(qtbot, dock, 'flag')
    assert dock.desk.review.at((0, 4)).verdict is Verdict.FLAG
    assert dock.desk.current == 5
    _click(qtbot, dock, 'accept')
    _click(qtbot, dock, 'reject')
    assert '3 of 16 reviewed' in dock.slices.progress.text()
    assert '1 accepted, 1 flagged, 1 rejected' in dock.slices.progress.text()
    _click(qtbot, dock, 'undo')
    assert dock.desk.current == 6
    assert '2 of 16 reviewed' in dock.slices.progress.text()
    _click(qtbot, dock, 'redo')
    _click(qtbot, dock, 'previous')
    _click(qtbot, dock, 'next')
    _click(qtbot, dock, 'worst')
    worst = dock.desk.figures.worst_first().tolist()
    waiting = [k for k in worst if k not in (4, 5, 6)]
    assert dock.desk.current == waiting[0]
    _click(qtbot, dock, 'accept_rest')
    assert '16 of 16 reviewed' in dock.slices.progress.text()


def test_the_keyboard_decides(dock: ReviewDock, viewer_model: Any) -> None:
    keymap = {str(k): f for k, f in viewer_model.keymap.items()}

    def press(key: str) -> None:
        keymap[key](viewer_model)

    dock.desk.go(0)
    press('Shift+A')
    press('Shift+F')
    press('.')
    press(',')
    press('Shift+R')
    press('Shift+Z')
    press('Shift+Y')
    given = {i: j.verdict for i, j in dock.desk.review.along(0).items()}
    assert given == {0: Verdict.ACCEPT, 1: Verdict.FLAG, 2: Verdict.REJECT}
    dock.desk.go(1)
    press('Shift+D')
    assert set(dock.desk.review.along(0)) == {0, 2}


def test_a_note_is_written(
    dock: ReviewDock, qtbot: Any, tmp_path: Path
) -> None:
    dock.desk.go(4)
    qtbot.wait(20)
    note = dock.slices.verdicts.note
    qtbot.keyClicks(note, 'Apex. A')
    assert dock.desk.review.at((0, 4)).note == 'Apex. A'
    assert dock.desk.flush()
    (file,) = (tmp_path / 'reviews').iterdir()
    saved = load_review(file, dock.desk.ready.identity)
    assert saved.judgements[(0, 4)].note == 'Apex. A'
    dock.desk.go(5)
    qtbot.wait(20)
    assert note.text() == ''
    dock.desk.go(4)
    qtbot.wait(20)
    assert note.text() == 'Apex. A'


def test_the_list_follows_the_viewer(
    dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
) -> None:
    table = dock.slices.table
    viewer_model.dims.set_current_step(0, 9)
    qtbot.wait(30)
    assert table.slices.slice_at(table.currentIndex().row()) == 9
    assert 'Slice 9' in dock.slices.details.text()
    table.selectRow(3)
    assert dock.desk.current == 3
    viewer_model.dims.order = (1, 0, 2)
    qtbot.wait(30)
    assert dock.desk.axis == 1
    assert 'along -2' in dock.slices.progress.text()


def test_the_list_is_sorted(dock: ReviewDock, qtbot: Any) -> None:
    table = dock.slices.table
    header = table.horizontalHeader()
    header.sectionClicked.emit(2)
    worst = dock.desk.figures.worst_first().tolist()
    rows = range(table.slices.rowCount())
    assert [table.slices.slice_at(row) for row in rows] == worst
    assert table.currentIndex().row() == worst.index(dock.desk.current)
    header.sectionClicked.emit(0)
    assert [table.slices.slice_at(row) for row in rows] == list(rows)


def test_the_curve_picks(dock: ReviewDock, qtbot: Any) -> None:
    curve = dock.slices.sparkline
    curve.resize(320, 46)
    qtbot.mousePress(
        curve, Qt.MouseButton.LeftButton, pos=QPoint(320 * 11 // 16 + 3, 10)
    )
    assert dock.desk.current == 11
    assert not curve.grab().isNull()


def test_what_cells_say(dock: ReviewDock) -> None:
    model = dock.slices.table.slices
    dock.desk.go(2)
    dock.desk.judge(Verdict.REJECT)
    dock.desk.go(2)
    dock.desk.annotate('two\nlines')
    role = Qt.ItemDataRole
    assert model.data(model.index(2, 0)) == '2'
    assert model.data(model.index(2, 3)) == 'two lines'
    spoken = model.data(model.index(2, 1), role.AccessibleTextRole)
    assert spoken == 'rejected'
    tip = model.data(model.index(2, 2), role.ToolTipRole)
    assert 'score' in tip
    assert 'DSC' in tip
    assert not dock.slices.table.grab().isNull()


def test_everything_has_a_tooltip(dock: ReviewDock) -> None:
    for button in dock.findChildren(QPushButton):
        assert button.toolTip(), button.text()


def test_closing_lets_go(dock: ReviewDock, viewer_model: ViewerModel) -> None:
    assert viewer_model.keymap
    before = len(viewer_model.dims.events.current_step.callbacks)
    dock.close()
    assert not viewer_model.keymap
    assert len(viewer_model.dims.events.current_step.callbacks) < before
    assert dock.desk is None
    assert session._LISTENERS == []


def test_coming_back_finds_the_review(
    dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
) -> None:
    dock.desk.go(4)
    dock.slices._judge(Verdict.FLAG)
    dock.close()
    again = ReviewDock(viewer_model)
    qtbot.addWidget(again)
    _wait(qtbot, again)
    assert again.desk.review.at((0, 4)).verdict is Verdict.FLAG
    assert 'saved review' in again.message.text()


def test_removing_the_result_ends_the_review(
    dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
) -> None:
    for layer in list(viewer_model.layers)[::-1]:
        viewer_model.layers.remove(layer)
    qtbot.waitUntil(lambda: dock.desk is None, timeout=LONG)
    assert 'Register two images' in dock.message.text()


def test_registering_again_is_noticed(
    dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
) -> None:
    from dataclasses import replace

    old = dock.desk
    result = replace(old.run.result, score=old.run.result.score * 0.5)
    session.remember(replace(old.run, result=result))
    qtbot.waitUntil(
        lambda: dock.desk is not None and dock.desk is not old, timeout=LONG
    )
    assert dock.desk.run.result is result


def test_a_disk_that_fails_is_told(
    dock: ReviewDock, qtbot: Any, tmp_path: Path
) -> None:
    (tmp_path / 'reviews').write_text('a file in the way')
    dock.slices._judge(Verdict.FLAG)
    qtbot.waitUntil(lambda: 'not saved' in dock.message.text(), timeout=LONG)
    assert dock.message.kind is Kind.ERROR


class TestLandmarks:
    def _layers(self, viewer: ViewerModel) -> dict[str, Points]:
        return {
            x.metadata[LANDMARKS_KEY]['side']: x
            for x in viewer.layers
            if LANDMARKS_KEY in x.metadata
        }

    def test_errors_are_live(
        self, dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        _click(qtbot, dock, 'set_landmarks')
        layers = self._layers(viewer_model)
        assert viewer_model.layers.selection.active == layers['fixed']
        assert layers['fixed'].mode == 'add'
        field = dock.desk.run.result.field
        fixed = np.array([8.0, 6.0, 5.0])
        layers['fixed'].add(fixed)
        qtbot.wait(60)
        assert viewer_model.layers.selection.active == layers['moving']
        layers['moving'].add(field.pull_points(fixed)[0])
        qtbot.wait(80)
        (row,) = dock.landmarks.rows
        # scale (3, 2, 1) mm
        expected = np.linalg.norm(
            (field.pull_points(fixed)[0] - fixed) * (3, 2, 1)
        )
        assert row.before == pytest.approx(expected, abs=1e-5)
        assert row.after == pytest.approx(0, abs=1e-5)
        # the moving point arrives at the fixed one
        np.testing.assert_allclose(layers['warped'].data[0], fixed, atol=1e-3)
        layers['moving'].data = layers['moving'].data + (0, 0, 1)
        qtbot.wait(80)
        assert dock.landmarks.rows[0].after == pytest.approx(1, abs=1e-5)
        assert dock.landmarks.table.item(0, 2).text() == '1.00'

    def test_pairs_stay_pairs(
        self, dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        _click(qtbot, dock, 'set_landmarks')
        layers = self._layers(viewer_model)
        for k in range(3):
            layers['fixed'].add([8, 6, 5 + k])
            layers['moving'].add([8, 7, 5 + k])
        layers['fixed'].selected_data = {1}
        layers['fixed'].remove_selected()
        qtbot.wait(80)
        np.testing.assert_array_equal(
            layers['moving'].data, [[8, 7, 5], [8, 7, 7]]
        )
        dock.landmarks.table.selectRow(0)
        _click(qtbot, dock, 'remove_landmarks')
        assert len(dock.landmarks.rows) == 1
        layers['fixed'].add([1, 1, 1])
        qtbot.wait(80)
        assert dock.landmarks.rows[-1].note == 'moving point missing'

    def test_they_come_back(
        self, dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        _click(qtbot, dock, 'set_landmarks')
        self._layers(viewer_model)['fixed'].add([8, 6, 5])
        qtbot.wait(80)
        dock.close()
        for layer in self._layers(viewer_model).values():
            viewer_model.layers.remove(layer)
        again = ReviewDock(viewer_model)
        qtbot.addWidget(again)
        _wait(qtbot, again)
        data = self._layers(viewer_model)['fixed'].data
        np.testing.assert_allclose(data, [[8, 6, 5]], atol=1e-6)


class TestRefine:
    def test_a_new_version(
        self, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        _registered(viewer_model, qtbot)
        dock = ReviewDock(viewer_model)
        qtbot.addWidget(dock)
        _wait(qtbot, dock)
        first = dock.desk.run
        count = len(viewer_model.layers)
        _click(qtbot, dock, 'paint_region')
        region = viewer_model.layers['region to refine']
        assert isinstance(region, Labels)
        assert region.mode == 'paint'
        region.paint((8, 8, 8), 1)
        dock.refine.steps.setValue(5)
        _click(qtbot, dock, 'refine_here')
        qtbot.waitUntil(
            lambda: dock.desk is not None and dock.desk.run is not first,
            timeout=LONG,
        )
        second = dock.desk.run
        assert (second.version, second.title[-3:]) == (2, ' v2')
        assert 'Version 1 → 2' in dock.refine.outcome.text()
        assert 'painted voxels' in ' '.join(second.record['notes'])
        assert 'emphasis' in second.record['python']
        assert not viewer_model.layers[f'{first.title} warped'].visible
        assert viewer_model.layers[f'{second.title} warped'].visible
        dock.refine.switch_version()
        assert dock.desk is None or dock.desk.run is first
        assert viewer_model.layers[f'{first.title} warped'].visible
        qtbot.waitUntil(lambda: dock.desk is not None, timeout=LONG)
        dock.refine.switch_version()
        qtbot.waitUntil(lambda: dock.desk is not None, timeout=LONG)
        _click(qtbot, dock, 'undo_version')
        qtbot.waitUntil(
            lambda: dock.desk is not None and dock.desk.run is first,
            timeout=LONG,
        )
        assert len(viewer_model.layers) == count + 1
        assert session.recall(second.group_id) is None

    def test_flagged_slices_are_marked(
        self, dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
    ) -> None:
        _click(qtbot, dock, 'mark_flagged')
        assert 'No slice is flagged' in dock.message.text()
        dock.desk.go(4)
        dock.slices._judge(Verdict.FLAG)
        _click(qtbot, dock, 'mark_flagged')
        data = viewer_model.layers['region to refine'].data
        assert data.sum() == data[4].sum() == SHAPE[1] * SHAPE[2]

    def test_nothing_painted_is_refused(
        self, dock: ReviewDock, qtbot: Any
    ) -> None:
        _click(qtbot, dock, 'paint_region')
        _click(qtbot, dock, 'refine_here')
        assert 'No region is painted' in dock.message.text()


class TestFiles:
    def test_save_and_open(
        self, viewer_model: ViewerModel, qtbot: Any, tmp_path: Path
    ) -> None:
        _registered(viewer_model, qtbot)
        dock = ReviewDock(viewer_model)
        qtbot.addWidget(dock)
        _wait(qtbot, dock)
        dock.desk.go(3)
        dock.slices._judge(Verdict.FLAG)
        dock.files.save_to(tmp_path / 'out')
        qtbot.waitUntil(
            lambda: 'Saved to' in dock.message.text(), timeout=LONG
        )
        dock.desk.go(5)
        dock.slices._judge(Verdict.REJECT)
        dock.close()

        viewer = ViewerModel()
        again = ReviewDock(viewer)
        qtbot.addWidget(again)
        again.files.open_folder(tmp_path / 'out')
        _wait(qtbot, again)
        given = {i: j.verdict for i, j in again.desk.review.along(0).items()}
        assert given == {3: Verdict.FLAG, 5: Verdict.REJECT}
        assert again.desk.ready.path == tmp_path / 'out' / 'review.json'

    def test_what_is_no_result(
        self, dock: ReviewDock, qtbot: Any, tmp_path: Path
    ) -> None:
        dock.files.open_folder(tmp_path)
        assert 'run.json' in dock.message.text()
        assert dock.message.kind is Kind.ERROR

    def test_exports(
        self, dock: ReviewDock, qtbot: Any, tmp_path: Path
    ) -> None:
        dock.desk.go(4)
        dock.slices._judge(Verdict.FLAG)
        for name in ('review.csv', 'review.html'):
            dock.files.export_to(tmp_path / name)
            qtbot.waitUntil(
                lambda n=name: (
                    n in dock.message.text() and not dock.files._runner.running
                ),
                timeout=LONG,
            )
            assert (tmp_path / name).stat().st_size > 1000
        dock.files.export_to(tmp_path / 'nowhere' / 'review.csv')
        assert dock.message.kind is Kind.ERROR


def test_keys_work_in_the_dock_too(dock: ReviewDock, qtbot: Any) -> None:
    """napari hears keys only while its canvas has the keyboard."""
    dock.show()
    dock.activateWindow()
    table = dock.slices.table
    table.setFocus()
    dock.desk.go(2)
    qtbot.wait(50)
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(table, Qt.Key.Key_A, shift)
    qtbot.keyClick(table, Qt.Key.Key_R, shift)
    given = {i: j.verdict for i, j in dock.desk.review.along(0).items()}
    assert given == {2: Verdict.ACCEPT, 3: Verdict.REJECT}
    # what can be typed is typed
    note = dock.slices.verdicts.note
    note.setFocus()
    qtbot.keyClick(note, Qt.Key.Key_A, shift)
    qtbot.keyClicks(note, '.')
    assert note.text().upper() == 'A.'
    assert set(dock.desk.review.reviewed(0)) == {2, 3}


def test_other_labels_are_measured(
    dock: ReviewDock, viewer_model: ViewerModel, qtbot: Any
) -> None:
    first = dock.desk
    other = viewer_model.add_labels(
        np.roll(viewer_model.layers['ES_labels'].data, 5, axis=1),
        scale=(3, 2, 1),
        units=('mm',) * 3,
        name='by another reader',
    )
    dock.views.labels.choose(other)
    dock.views.labels.activated.emit(dock.views.labels.currentIndex())
    qtbot.waitUntil(
        lambda: dock.desk is not None and dock.desk is not first, timeout=LONG
    )
    before, after = (
        next(c for c in d.ready.figures[0].components if c.name == 'dsc')
        for d in (first, dock.desk)
    )
    assert np.nanmean(after.values) < 0.8 * np.nanmean(before.values)
