"""Does the window stutter while a model is fine-tuned?

    xvfb-run -a python benchmarks/bench_finetune_window.py [--steps 200]

Opens a real window with the Fine-tune dock and pairs of the phantom, and notes
how late a 10 ms timer is: with the dock at rest, while a run is started and
trains with curves and preview, and afterwards. Gaps are given by the wall
clock and in CPU time of the GUI thread: on a busy machine only the latter is
the plugin's own doing. What other programs cost is seen in the row at rest.
Then napari alone does what a preview does. `--why` profiles the late gaps;
`--undrawn` leaves out drawing the canvas, which without a graphics card is
work of the GUI thread.

Found with software OpenGL (llvmpipe) on one busy core, 1280 x 1000, 14 steps
with a validation each, in CPU time of the GUI thread:

late: gaps over 50 ms                 2D  p99  max  late   3D  p99  max  late
before: training, 22 validations            2 1425   167
training, curves and preview               25  479    14       16  392    14
the same, canvas not drawn                 23  509     1
napari: add_image, six times              193  211     6      179  188     6
napari: layer.data = x, 14 times          101  104    14       84   88    14
napari: canvas drawn again, 14 times       86   88    14       67   70    14
napari: layers.remove, six times          279  324     6      265  312     6

So one gap is left per validation, and it is napari's: drawing the canvas. The
last and longest is the end, where six layers go at once: napari collects the
garbage of the whole program whenever layers go. At the start six layers come,
one by one, each with such a gap. A graphics card has not been measured.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault('QT_API', 'pyqt6')

import napari
import numpy as np
from late_ticks import LateTicks
from qtpy import API_NAME
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QLabel
from vispy.app import use_app

PLUGIN = 'napari-adacs'
_AIM_MS = 50
_PATIENTS = 2
# Layers of a preview, and how many of them are seen.
_LAYERS, _SEEN = 6, 3
_SHAPES = {2: (128, 128), 3: (64, 64, 64)}


class Heartbeat:
    """Notes the gaps between the ticks of a timer."""

    def __init__(self, why: bool = False) -> None:
        self._why = LateTicks() if why else None
        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._last = time.perf_counter(), time.thread_time()
        self.wall: list[float] = []
        self.cpu: list[float] = []
        if self._why is not None:
            self._why.end(0, _AIM_MS)
            self._why = LateTicks()

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.wall.append(1e3 * (now[0] - self._last[0]))
        self.cpu.append(1e3 * (now[1] - self._last[1]))
        if self._why is not None:
            if len(self.cpu) > 1:
                self._why.end(self.cpu[-1], _AIM_MS)
            self._why.begin()
        self._last = time.perf_counter(), time.thread_time()

    def each(
        self, name: str, act: Callable[[int], object], times: int = 14
    ) -> None:
        """Do something several times, and print the gaps."""
        self.reset()
        for index in range(times):
            act(index)
            _settle(1000)
        self.report(name)

    def report(self, name: str) -> None:
        """Print median, 99th percentile and maximum."""
        cells = [f'{name:<34} {len(self.wall):6d}']
        for gaps in (self.wall, self.cpu):
            p50, p99 = np.percentile(gaps, (50, 99))
            late = np.array(gaps) > _AIM_MS
            cells.append(
                f'{p50:6.1f} {p99:7.1f} {max(gaps):7.1f} {late.sum():5d} '
                f'{100 * late.mean():6.2f} %'
            )
        print(' | '.join(cells), flush=True)
        if self._why is not None and self._why.late:
            self._why.report()


def main() -> None:
    """Open a window, train, print."""
    chosen = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        os.environ['NAPARI_ADACS_RUNS'] = os.path.join(folder, 'runs')
        os.environ['NAPARI_ADACS_MODELS'] = os.path.join(folder, 'models')
        _measure(chosen)


def _measure(chosen: argparse.Namespace) -> None:
    if chosen.undrawn:
        _draw_no_canvas()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 1000)
    _open_pairs(viewer, chosen.ndim)
    _settle(2000)
    beat = Heartbeat(chosen.why)
    print(
        f'{"gaps of the GUI thread (ms)":<34}  ticks |    p50     p99     max '
        f'   > {_AIM_MS} ms     | CPU: p50   p99     max    > {_AIM_MS} ms'
    )
    _rest(beat, chosen.seconds, 'window without the dock')
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, 'Fine-tune')
    dock.guard.ask = None
    _settle(2000)
    _rest(beat, chosen.seconds, 'dock open, no training')
    form = dock.new.form
    form.budget.unit.setCurrentText('steps')
    form.budget.steps.setValue(chosen.steps)
    form.batch.setValue(chosen.batch)
    form.advanced.held_out.setValue(50)
    _settle(500)
    beat.reset()
    dock.new.bar.button.click()
    _until(lambda: dock.runs.folder is not None)
    _until(lambda: bool(dock.runs.last and dock.runs.last.status.step))
    beat.report('starting')
    beat.reset()
    _until(lambda: dock.runs.last.status.state.ended)
    beat.report('training, curves and preview')
    status = dock.runs.last.status
    beat.reset()
    _settle(3000)
    beat.report('end: table, layers removed')
    print(f'{status.step} steps in {status.seconds:.0f} s: {status.sentence}')
    dock.detach()
    _peers(viewer, beat, _SHAPES[chosen.ndim])
    viewer.close()


def _peers(
    viewer: napari.Viewer, beat: Heartbeat, shape: tuple[int, ...]
) -> None:
    """Do what a preview does with napari and Qt alone, in the same window."""
    rng, units = np.random.default_rng(0), ('mm',) * len(shape)
    canvas = viewer.window._qt_viewer.canvas.native
    label, new = QLabel('label'), []
    viewer.window.add_dock_widget(label, area='right')
    _settle(1000)

    def random() -> np.ndarray:
        return rng.random(shape, np.float32)

    def add(index: int) -> None:
        new.append(
            viewer.add_image(
                random(),
                name=f'peer {index}',
                contrast_limits=(0, 1),
                opacity=0.5,
                units=units,
                visible=index < _SEEN,
            )
        )

    def change(index: int) -> None:
        for layer in new[1:_SEEN]:
            layer.data = random()

    beat.each('napari: add_image', add, _LAYERS)
    beat.each('napari: layer.data = x, two layers', change)
    beat.each('napari: canvas drawn again', lambda _: canvas.update())
    beat.each('Qt: text of a label in a dock', lambda i: label.setText(f'{i}'))
    beat.each(
        'napari: layers.remove',
        lambda _: viewer.layers.remove(new.pop()),
        _LAYERS,
    )


def _draw_no_canvas() -> None:
    use_app(API_NAME)
    from vispy.app.backends._qt import CanvasBackendDesktop

    CanvasBackendDesktop.paintGL = lambda self: None


def _open_pairs(viewer: napari.Viewer, ndim: int) -> None:
    from napari_adacs.phantom.echo import echo_pair

    for patient in range(_PATIENTS):
        pair = echo_pair(700 + patient, ndim, _SHAPES[ndim])
        for frame, role in (('ED', 'moving'), ('ES', 'fixed')):
            name, units = f'p{patient}_{frame}', ('mm',) * ndim
            viewer.add_image(getattr(pair, role), name=name, units=units)
            labels = getattr(pair, f'{role}_labels')
            viewer.add_labels(
                labels, name=f'{name}_gt', units=units, visible=False
            )


def _rest(beat: Heartbeat, seconds: float, name: str) -> None:
    beat.reset()
    _settle(int(1e3 * seconds))
    beat.report(name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('--ndim', type=int, choices=(2, 3), default=2)
    parser.add_argument('--steps', type=int, default=200)
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--seconds', type=float, default=10.0)
    parser.add_argument(
        '--why', action='store_true', help='profile the late gaps'
    )
    parser.add_argument(
        '--undrawn', action='store_true', help='do not draw the canvas'
    )
    return parser.parse_args()


def _until(done: Callable[[], bool]) -> None:
    while not done():
        _settle(50)


def _settle(ms: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


if __name__ == '__main__':
    main()
