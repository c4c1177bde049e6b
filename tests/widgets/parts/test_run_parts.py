"""Parts that show a run, and how little of the window's time they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_adacs.app.finetune.preview_picture import Picture, picture_of
from napari_adacs.app.finetune.watch import Listed
from napari_adacs.runs.figures import Curve
from napari_adacs.runs.preview import Preview
from napari_adacs.runs.state import State, Status
from napari_adacs.widgets.parts import run_preview
from napari_adacs.widgets.parts.painting import painted_once
from napari_adacs.widgets.parts.run_list import RunList
from napari_adacs.widgets.parts.run_preview import RunPreview
from napari_adacs.widgets.parts.training_curves import TrainingCurves

SHAPE = (6, 8)


class Paints(QObject):
    """Counts how often a window is painted."""

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self.count = 0
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        self.count += event.type() == QEvent.Type.Paint
        return False


@pytest.fixture
def window(qtbot: Any) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def test_what_changes_together_is_painted_once(
    qtbot: Any, window: QWidget
) -> None:
    panel = QWidget()
    QVBoxLayout(window).addWidget(panel)
    label, bar = QLabel('some text'), QProgressBar()
    layout = QVBoxLayout(panel)
    layout.addWidget(label)
    layout.addWidget(bar)
    window.setFixedSize(300, 100)
    window.show()
    qtbot.waitExposed(window)
    qtbot.wait(100)
    paints = Paints(bar)
    with painted_once(panel):
        for value in (10, 30, 60):
            bar.setValue(value)
            label.setText(f'another text of {value}')
            # neither by itself nor by what is inside
            with painted_once(panel):
                panel.repaint()
    assert paints.count == 0
    assert not panel.updatesEnabled()
    qtbot.waitUntil(panel.updatesEnabled)
    qtbot.wait(100)
    assert paints.count == 1
    assert bar.value() == 60


def test_a_window_that_goes_meanwhile_is_no_error(qtbot: Any) -> None:
    window = QWidget()
    with painted_once(window):
        pass
    window.deleteLater()
    del window
    qtbot.wait(20)


def _picture(value: float) -> Picture:
    images = {
        name: np.full(SHAPE, value, np.float16)
        for name in ('fixed', 'moving', 'warped', 'score')
    }
    return picture_of(Preview(1, images, (1.0, 1.0)))


@pytest.fixture
def preview(
    qtbot: Any, viewer_model: ViewerModel, monkeypatch: pytest.MonkeyPatch
) -> RunPreview:
    monkeypatch.setattr(run_preview, '_SHOW_EVERY_S', 0.3)
    widget = RunPreview(viewer_model)
    qtbot.addWidget(widget)
    widget.begin('a run')
    return widget


def _score(viewer: ViewerModel) -> float:
    layer = viewer.layers['a run: score']
    return float(layer.data.max())


def test_pictures_that_come_too_fast_are_left_out(
    qtbot: Any,
    viewer_model: ViewerModel,
    preview: RunPreview,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_preview.time, 'monotonic', lambda: 100.0)
    preview.show_picture(_picture(0.25))
    # one layer per turn of the event loop
    assert len(viewer_model.layers) == 0
    qtbot.waitUntil(lambda: len(viewer_model.layers) == 4)
    seen: list[float] = []
    layer = viewer_model.layers['a run: score']
    layer.events.data.connect(lambda: seen.append(_score(viewer_model)))
    for value in (0.5, 0.625, 0.75):
        preview.show_picture(_picture(value))
    qtbot.waitUntil(lambda: _score(viewer_model) == 0.75)
    assert seen == [0.75]


def test_a_preview_that_is_hidden_comes_back(
    qtbot: Any, viewer_model: ViewerModel, preview: RunPreview
) -> None:
    preview.show_picture(_picture(0.25))
    qtbot.waitUntil(lambda: len(viewer_model.layers) == 4)
    wanted: list[bool] = []
    preview.wanted.connect(wanted.append)
    preview.show_it.setChecked(False)
    assert len(viewer_model.layers) == 0
    preview.show_it.setChecked(True)
    qtbot.waitUntil(lambda: len(viewer_model.layers) == 4)
    assert wanted == [False, True]
    assert _score(viewer_model) == 0.25


def test_the_end_keeps_all_layers_or_none(
    qtbot: Any, viewer_model: ViewerModel, preview: RunPreview
) -> None:
    preview.show_picture(_picture(0.25))
    preview.keep_it.setChecked(True)
    preview.end()
    assert len(viewer_model.layers) == 4
    preview.keep_it.setChecked(False)
    preview.begin('another')
    preview.show_picture(_picture(0.5))
    qtbot.waitUntil(lambda: len(viewer_model.layers) == 8)
    preview.end()
    assert len(viewer_model.layers) == 4
    # nothing comes late
    preview.show_picture(_picture(0.5))
    preview.drop()
    qtbot.wait(350)
    assert len(viewer_model.layers) == 4


@pytest.fixture
def curves(qtbot: Any, viewer_model: ViewerModel) -> TrainingCurves:
    """Alive until it is closed: a window that is garbage may be painted."""
    widget = TrainingCurves(viewer_model)
    qtbot.addWidget(widget)
    return widget


def test_panels_of_curves_come_one_by_one(
    qtbot: Any, curves: TrainingCurves
) -> None:
    steps = np.arange(50)
    falling = Curve(steps, 1.0 / (1.0 + steps))
    looks = Curve(np.array([0, 49]), np.array([0.5, 0.6]))
    late = Curve(steps[1:], falling.values[1:])
    figures = {'data': late, 'momentum': falling, 'val_dsc': looks}
    curves.show_figures(figures)
    plot = curves.plot
    assert plot is not None
    assert set(plot.curves) == {'data'}
    qtbot.waitUntil(lambda: set(plot.curves) == set(figures))
    qtbot.waitUntil(lambda: plot.curves['val_dsc'].getData()[0] is not None)
    x, y = plot.curves['momentum'].getOriginalDataset()
    np.testing.assert_array_equal(x, falling.steps)
    np.testing.assert_allclose(y, falling.values)
    # axes hold all curves before they are painted
    for axes in plot._axes:
        (left, right), _ = axes.getViewBox().viewRange()
        assert left <= 0 and right >= 49


def test_the_list_stays_while_nothing_changes(
    qtbot: Any, tmp_path: Path
) -> None:
    runs = RunList()
    qtbot.addWidget(runs)
    assert runs.currentData() is None
    chosen: list[Path] = []
    runs.chosen.connect(chosen.append)
    here = [
        Listed(tmp_path / name, name, Status(State.RUNNING))
        for name in ('b', 'a')
    ]
    runs.show_runs(here, tmp_path / 'a')
    assert runs.currentData() == tmp_path / 'a'
    assert chosen == []
    runs.activated.emit(1)
    assert chosen == [tmp_path / 'a']
    runs.show_runs([], None)
    assert runs.currentText() == 'no runs yet'
