"""The Evaluate dock in a real window: how long, and how smooth.

    python benchmarks/bench_evaluate_window.py [--moving FILE --fixed FILE]

Presses the button with two segmentations (the 3D sample by default), then
visits the pages and drags along the plot of the slices. Prints seconds, and
the longest time in which the event loop did not turn, by the wall clock and in
CPU time of the GUI thread: on a busy machine only the latter is the plugin's
own doing.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault('QT_API', 'pyqt6')

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QPoint, Qt, QTimer
from qtpy.QtTest import QTest

PLUGIN = 'napari-adacs'


class Ticker:
    """Notes how late a 10 ms timer is."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._last = time.perf_counter(), time.thread_time()
        self.wall = self.cpu = 0.0

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.wall = max(self.wall, now[0] - self._last[0])
        self.cpu = max(self.cpu, now[1] - self._last[1])
        self._last = now


def main() -> None:
    """Open a window, evaluate, visit the pages, print."""
    chosen = _arguments()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 1000)
    if chosen.moving:
        viewer.open([chosen.moving, chosen.fixed], plugin=PLUGIN)
    else:
        viewer.open_sample(PLUGIN, 'echo3d')
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, 'Evaluate')
    _settle()
    ticker = Ticker()

    def step(
        name: str, act: Callable[[], object], busy: Callable[[], bool]
    ) -> None:
        ticker.reset()
        start = time.perf_counter()
        act()
        while busy():
            _settle(20)
        seconds = time.perf_counter() - start
        _settle()
        print(
            f'{name}: {seconds:.2f} s; longest gap {1e3 * ticker.wall:.0f} '
            f'ms, CPU {1e3 * ticker.cpu:.0f} ms'
        )

    for run in ('first', 'second'):
        step(
            f'Evaluate, {run}',
            dock.run_bar.button.click,
            lambda: dock.state.busy,
        )
    print(f'{len(dock.evaluation)} labels of {dock.slices._view.grid.shape}')
    step('dragging along the slices', lambda: _drag(dock), lambda: False)
    dock.tabs.show_page(dock.surface)
    for run in ('first', 'second'):
        step(
            f'surface, {run}',
            dock.surface.run_bar.button.click,
            lambda: dock.surface.state.busy,
        )
    viewer.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('--moving')
    parser.add_argument('--fixed')
    return parser.parse_args()


def _drag(dock: object) -> None:
    """Go along the plot as a hand does, every turn of the loop a step."""
    plot = dock.slices.plot
    for x in np.linspace(60, plot.width() - 20, 40).astype(int):
        QTest.mouseMove(plot.viewport(), QPoint(int(x), 50))
        QTest.mouseClick(
            plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(int(x), 50)
        )
        _settle(1)


def _settle(ms: int = 500) -> None:
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


if __name__ == '__main__':
    main()
