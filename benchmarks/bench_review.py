"""The views of a review on a 256³ pair: how long, how smooth, how much.

    python benchmarks/bench_review.py [--size 256] [--steps 40]

Prints

- seconds to open the view bar, and to switch each view on,
- milliseconds of the main thread per slice while scrubbing, for each view and
  for every axis, painting left out: the target is 33 for checkerboard and
  wipe. The same for napari's own scrolling of one image, as a peer in the
  same run, and the time of painting, which without a graphics card is done in
  software,
- the most memory that arrays took at any time beyond the inputs, in volumes
  of float32: the target is 1.2; and by how much the process grew, which
  includes windows, shaders and libraries whatever the size of the pair.

Times are given by the wall clock and in CPU time of the main thread: on a
busy machine only the latter is the program's own doing. They include what
Qt does for the slider and the status bar.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

os.environ.setdefault('QT_API', 'pyqt6')

import napari
import numpy as np
import psutil
from napari._qt.qt_main_window import _QtMainWindow
from napari.qt import get_qapp
from qtpy.QtCore import QEvent

from napari_adacs.app.review.views.registry import VIEWS
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid

WARM_UP = 3


class Clock:
    """Measures actions on the main thread, and painting apart.

    All painting of a window, the canvas included, happens while Qt serves
    its update requests.
    """

    def __init__(self) -> None:
        self._painting = [0.0, 0.0]
        self._event = _QtMainWindow.event
        clock = self

        def event(window: Any, event: QEvent) -> bool:
            if event.type() != QEvent.Type.UpdateRequest:
                return clock._event(window, event)
            start = time.perf_counter(), time.thread_time()
            handled = clock._event(window, event)
            clock._painting[0] += time.perf_counter() - start[0]
            clock._painting[1] += time.thread_time() - start[1]
            return handled

        _QtMainWindow.event = event

    def time(self, action: Callable[[], Any]) -> tuple[float, float, float]:
        """Return milliseconds by the clock, of CPU, and of painting."""
        self._painting[:] = 0.0, 0.0
        start = time.perf_counter(), time.thread_time()
        action()
        get_qapp().processEvents()
        wall = time.perf_counter() - start[0]
        cpu = time.thread_time() - start[1]
        painted, painted_cpu = self._painting
        return (
            1e3 * (wall - painted),
            1e3 * (cpu - painted_cpu),
            1e3 * painted,
        )


def main() -> None:
    """Open a window, scrub, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--size', type=int, default=256)
    parser.add_argument('--steps', type=int, default=40)
    chosen = parser.parse_args()
    clock = Clock()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 1000)
    run = _pair(viewer, chosen.size)
    _settle()
    volume = 4 * chosen.size**3
    _report('one image, napari alone', _scrub(viewer, clock, chosen.steps))
    before = psutil.Process().memory_info().rss
    bar, opened = _open(viewer, run)
    print(f'open the bar: {opened[0]:.0f} ms, CPU {opened[1]:.0f} ms')
    names = [name for name in VIEWS if name != 'contours']  # no labels
    for name in names:
        on = clock.time(lambda name=name: bar.switch.show(name))
        print(f'\n{name}: on in {on[0]:.0f} ms, CPU {on[1]:.0f} ms')
        for order in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
            viewer.dims.order = order
            _settle()
            _report(f'  axis {order[0]}', _scrub(viewer, clock, chosen.steps))
    grown = psutil.Process().memory_info().rss - before
    print(f'\nthe process grew by {grown / 1e6:.0f} MB')
    for name in names:
        peak = _peak(viewer, bar, name, clock)
        print(f'{name}: {peak / volume:.2f} volumes of arrays')
    bar.close_views()
    viewer.close()


def _pair(viewer: napari.Viewer, size: int) -> Run:
    rng = np.random.default_rng(0)
    shape = (size,) * 3
    refs = []
    for name in ('moving', 'fixed'):
        image = rng.random(shape, np.float32)
        layer = viewer.add_image(
            image, name=name, units=('mm',) * 3, contrast_limits=(0, 1)
        )
        layer.visible = name == 'fixed'
        refs.append(LayerRef(str(layer.unique_id), name))
    voxels = np.zeros((3, *shape), np.float32)
    wave = 3 * np.sin(np.arange(size, dtype=np.float32) / 20)
    voxels[0] = wave[:, None]
    voxels[1] = wave
    warped = rng.random(shape, np.float32)
    result = RegistrationResult(
        DisplacementField(voxels, Grid.from_spacing(shape)),
        warped=warped,
        residual=warped,
        score=None,
        variance=None,
        weight=None,
        config=RunConfig(),
        model_name='made-up',
        device='cpu',
    )
    return Run('bench', 'moving → fixed', *refs, result)


def _open(viewer: napari.Viewer, run: Run) -> tuple[Any, tuple[float, float]]:
    from napari_adacs.widgets.parts.view_bar import ViewBar

    start = time.perf_counter(), time.thread_time()
    bar = ViewBar(viewer)
    viewer.window.add_dock_widget(bar, name='Views')
    bar.set_run(run)
    get_qapp().processEvents()
    wall = 1e3 * (time.perf_counter() - start[0])
    cpu = 1e3 * (time.thread_time() - start[1])
    return bar, (wall, cpu)


def _scrub(
    viewer: napari.Viewer, clock: Clock, steps: int
) -> list[tuple[float, float, float]]:
    """Return the times of some steps along the axis that is scrolled."""
    dims = viewer.dims
    axis = dims.order[0]
    size = dims.nsteps[axis]
    times = []
    for i in range(steps + WARM_UP):
        place = (7 * i) % size
        step = clock.time(lambda p=place: dims.set_current_step(axis, p))
        times.append(step)
    return times[WARM_UP:]


def _peak(viewer: napari.Viewer, bar: Any, name: str, clock: Clock) -> int:
    """Return the most memory of arrays while a view is shown, in bytes."""
    bar.switch.show(None)
    tracemalloc.start()
    bar.switch.show(name)
    for order in ((0, 1, 2), (1, 0, 2)):
        viewer.dims.order = order
        _scrub(viewer, clock, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _report(title: str, times: list[tuple[float, float, float]]) -> None:
    wall, cpu, drawn = zip(*times, strict=True)
    worst = sorted(cpu)[int(0.95 * (len(cpu) - 1))]
    print(
        f'{title}: {statistics.median(wall):5.1f} ms per slice, CPU '
        f'{statistics.median(cpu):5.1f} ms (95 %: {worst:5.1f}), painting '
        f'{statistics.median(drawn):5.1f} ms'
    )


def _settle(seconds: float = 0.5) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        get_qapp().processEvents()
        time.sleep(0.005)


if __name__ == '__main__':
    main()
