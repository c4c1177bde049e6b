"""Plots: what they draw, where one points, how much they bear."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_adacs.app.plot_palette import Palette
from napari_adacs.evaluation.slice_table import SliceCurves, slice_table
from napari_adacs.evaluation.sparsification import sparsification
from napari_adacs.widgets.parts.plot import Plot, draw
from napari_adacs.widgets.parts.slice_plot import SlicePlot
from napari_adacs.widgets.parts.trust_plot import TrustPlot


@pytest.fixture
def palette(viewer_model: ViewerModel) -> Palette:
    """The colours of the viewer's theme."""
    return Palette.of(viewer_model)


@pytest.fixture
def curves() -> SliceCurves:
    """A label that is there in slices 3 to 8 of 12."""
    fixed = np.zeros((12, 6, 6), int)
    fixed[3:9, 1:5, 1:5] = 1
    moved = np.roll(fixed, 1, 1)
    return slice_table(fixed, moved, fixed, [1], 1.0).curves(1, 0)


@pytest.fixture
def plot(qtbot: Any, palette: Palette, curves: SliceCurves) -> SlicePlot:
    """A plot of that label in a window."""
    widget = SlicePlot(palette)
    qtbot.addWidget(widget)
    widget.resize(300, 270)
    widget.show()
    widget.show_curves(curves, 'assd', 'ASSD (mm)', 'slice along z')
    QApplication.processEvents()
    return widget


def test_opening_the_dock_loads_no_plots_and_no_meshes() -> None:
    code = (
        'import sys, napari_adacs.widgets.evaluate_dock;'
        "print([m for m in ('pyqtgraph', 'torch',"
        " 'skimage.measure._marching_cubes_lewiner') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == '[]'


def test_the_curves_are_the_metrics(
    plot: SlicePlot, curves: SliceCurves
) -> None:
    for name, metric in (('dsc', 'dsc'), ('far', 'assd')):
        for when, values in zip(
            ('before', 'after'), curves.values(metric), strict=True
        ):
            x, y = plot.curves[name, when].getOriginalDataset()
            assert np.array_equal(x, np.arange(12))
            assert np.array_equal(y, values, equal_nan=True)


def test_before_and_after_differ_in_more_than_colour(plot: SlicePlot) -> None:
    styles = {
        when: plot.curves['dsc', when].opts['pen'].style()
        for when in ('before', 'after')
    }
    assert styles['before'] != styles['after']


def test_without_after_there_is_one_curve(
    plot: SlicePlot, curves: SliceCurves
) -> None:
    only = SliceCurves(curves.before, None)
    plot.show_curves(only, 'hd', 'HD', 'slice')
    x, y = plot.curves['dsc', 'after'].getData()
    assert x is None or len(x) == 0


@pytest.mark.parametrize('index', [3, 5, 8])
def test_a_click_points_at_a_slice(
    qtbot: Any, plot: SlicePlot, index: int
) -> None:
    where = QPoint(plot.place_of(index), 60)
    with qtbot.waitSignal(plot.pointed) as told:
        qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert round(told.args[0]) == index


def test_the_arrows_go_one_slice_on(qtbot: Any, plot: SlicePlot) -> None:
    plot.set_cursor(5)
    for key, expected in ((Qt.Key.Key_Left, 4), (Qt.Key.Key_Right, 6)):
        with qtbot.waitSignal(plot.pointed) as told:
            qtbot.keyClick(plot, key)
        assert told.args[0] == expected


def test_the_cursor_is_in_both_plots(plot: SlicePlot) -> None:
    plot.set_cursor(7)
    assert [line.value() for line in plot.cursors] == [7, 7]


def test_a_plot_follows_the_theme(viewer_model: ViewerModel) -> None:
    dark = Palette.of(viewer_model)
    viewer_model.theme = 'light'
    light = Palette.of(viewer_model)
    assert dark.background != light.background
    assert dark.before != light.before


def test_sparsification_is_drawn_thin_and_true(
    qtbot: Any, palette: Palette
) -> None:
    rng = np.random.default_rng(0)
    error = rng.random(100_000)
    found = sparsification(error, error + rng.random(100_000))
    plot = TrustPlot(palette)
    qtbot.addWidget(plot)
    plot.show_curves(found)
    x, y = plot.curve.getOriginalDataset()
    assert len(x) < 5000
    middle = np.interp(0.5, found.fractions, found.curve)
    assert np.interp(50, x, y) == pytest.approx(1e3 * middle, rel=1e-3)
    assert plot.random.value() == pytest.approx(1e3 * found.random)


def test_many_points_are_drawn_about_as_fast_as_few(
    qtbot: Any, palette: Palette
) -> None:
    """A hundred times the points must not cost a hundred times as long."""

    def painting(n: int) -> float:
        plot = Plot(palette, 200)
        qtbot.addWidget(plot)
        plot.resize(300, 200)
        curve = plot.add_curve(plot.add_axes(0, 'y'), palette.after)
        plot.show()
        draw(curve, np.arange(n), np.random.default_rng(0).random(n))
        times = []
        for _ in range(7):
            start = time.perf_counter()
            plot.grab()
            times.append(time.perf_counter() - start)
        return min(times)

    assert painting(100_000) < 12 * painting(1000)
