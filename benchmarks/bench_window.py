"""The Register dock in a real window: how long, and how smooth.

    python benchmarks/bench_window.py [--model NAME] [--repeats N]

Registers the 64³ echo sample by pressing the button, and prints

- what importing and opening the dock costs beyond napari's own start,
- seconds from the click to the last layer, beside the bare forward pass of
  the same networks in the same process,
- the longest time in which the event loop did not turn, while the worker ran
  and while layers appeared, by the wall clock and in CPU time of the GUI
  thread: on a busy machine only the latter is the plugin's own doing.

The first run starts torch and draws things for the first time; the others
update the layers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault('QT_API', 'pyqt6')

import napari
from qtpy.QtCore import QEventLoop, QTimer

PLUGIN = 'napari-adacs'


@dataclass
class Ticker:
    """Notes how late a 10 ms timer is."""

    dock: Any
    gaps: list[tuple[str, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin."""
        self._last = time.perf_counter(), time.thread_time()
        self._timer.start()

    def stop(self) -> None:
        """End."""
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        state = self.dock.state.value
        wall, cpu = (
            1e3 * (b - a) for a, b in zip(self._last, now, strict=True)
        )
        self.gaps.append((state, wall, cpu))
        self._last = now

    def longest(self, state: str) -> str:
        """Return the longest gap in a state, in ms."""
        found = [gap for gap in self.gaps if gap[0] == state]
        if not found:
            return '-'
        wall, cpu = max(g[1] for g in found), max(g[2] for g in found)
        return f'{wall:4.0f} ms, CPU {cpu:4.0f} ms'


def main() -> None:
    """Open a window, register some times, print."""
    chosen = _arguments()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 1000)
    viewer.open_sample(PLUGIN, 'echo3d')
    _settle()
    dock = _open_dock(viewer)
    index = dock.form.model.combo.findData(chosen.model)
    dock.form.model.combo.setCurrentIndex(max(0, index))
    dock.form.device.setCurrentText('cpu')
    _settle()
    print(dock.preflight.text())
    for run in range(chosen.repeats):
        ticker = Ticker(dock)
        ticker.start()
        started = time.perf_counter()
        dock.run_bar.button.click()
        _wait(dock)
        seconds = time.perf_counter() - started
        ticker.stop()
        print(
            f'run {run}: {seconds:.2f} s from click to layers; longest gap '
            f'running {ticker.longest("running")}; '
            f'showing {ticker.longest("showing")}'
        )
        _settle()
    print(f'bare forward pass: {_forward(dock):.2f} s (median of 5)')
    viewer.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('--model', default='auto')
    parser.add_argument('--repeats', type=int, default=4)
    return parser.parse_args()


def _open_dock(viewer: napari.Viewer) -> Any:
    started = time.perf_counter(), time.process_time()
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, 'Register')
    wall = time.perf_counter() - started[0]
    cpu = time.process_time() - started[1]
    loaded = 'with' if 'torch' in sys.modules else 'without'
    print(f'import and open: {wall:.2f} s, CPU {cpu:.2f} s, {loaded} torch')
    return dock


def _wait(dock: Any) -> None:
    """Sleep in the event loop, as napari does, until the dock is done."""
    loop = QEventLoop()
    dock.run.state_changed.connect(lambda state: state.busy or loop.quit())
    loop.exec()


def _settle() -> None:
    loop = QEventLoop()
    QTimer.singleShot(500, loop.quit)
    loop.exec()


def _forward(dock: Any) -> float:
    """Time displacement and auxiliary networks on the registered pair."""
    import torch

    from napari_adacs.models.library import resolve_model
    from napari_adacs.registration.preprocess import network_grid, prepare

    request = dock.form.chosen().request()
    moving, fixed = request.moving.load(), request.fixed.load()
    model = resolve_model(request.config.model, fixed.grid.ndim)
    grid = network_grid(fixed, model.header.preprocessing, model.size_multiple)
    pair = prepare(moving, fixed, grid)
    times = []
    with torch.inference_mode():
        for _ in range(6):
            started = time.perf_counter()
            motion = model.displacement(pair.moving, pair.fixed)
            warped = pair.moving
            for network in model.auxiliaries.values():
                network(pair.fixed, warped)
            del motion
            times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


if __name__ == '__main__':
    main()
