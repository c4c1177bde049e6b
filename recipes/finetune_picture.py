"""Draw docs/images/finetune.png: what the Fine-tune dock shows.

    xvfb-run -a python recipes/finetune_picture.py

Opens pairs of the phantom as layers in a real window, fine-tunes the bundled
2D model on them for some steps, and puts the form, the window while it runs,
and the end beside each other.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault('QT_API', 'pyqt6')

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QWidget

PLUGIN = 'napari-adacs'
OUT = Path(__file__).parents[1] / 'docs' / 'images' / 'finetune.png'
_PATIENTS = 5
_SHAPE = (128, 128)
_STEPS = 40
_COLOURS = 256
# Small, to be done soon.
_GRID = 64
_MM = ('mm', 'mm')


def main() -> None:
    """Open a window, press the buttons, save the picture."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ['NAPARI_ADACS_RUNS'] = os.path.join(folder, 'runs')
        os.environ['NAPARI_ADACS_MODELS'] = os.path.join(folder, 'models')
        _take()


def _take() -> None:
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 1000)
    _open_pairs(viewer)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, 'Fine-tune')
    form = dock.new.form
    form.budget.unit.setCurrentText('steps')
    form.budget.steps.setValue(_STEPS)
    form.batch.setValue(2)
    for box in form.grid.boxes[:2]:
        box.setValue(_GRID)
    form.advanced.held_out.setValue(40)
    _wait(500)
    parts = [_grab(dock.new)]
    dock.new.bar.button.click()
    _until(lambda: dock.runs.folder is not None)
    _until(lambda: _step(dock) > 0.6 * _STEPS)
    for layer in viewer.layers:
        layer.visible = layer.name.endswith((': fixed', ': score'))
    viewer.reset_view()
    _wait(1500)
    parts.append(_grab(viewer.window._qt_window))  # noqa: SLF001
    _until(lambda: dock.runs.outcome.offer is not None)
    _wait(500)
    parts.append(_grab(dock.runs))
    viewer.close()
    _save(parts)


def _open_pairs(viewer: Any) -> None:
    from napari_adacs.phantom.echo import echo_pair

    for patient in range(_PATIENTS):
        pair = echo_pair(500 + patient, 2, _SHAPE)
        for frame, role in (('ED', 'moving'), ('ES', 'fixed')):
            name = f'patient{patient + 1:02d}_{frame}'
            placed = {'units': _MM, 'visible': patient == 0}
            viewer.add_image(getattr(pair, role), name=name, **placed)
            labels = np.asarray(getattr(pair, f'{role}_labels'))
            placed['visible'] = False
            viewer.add_labels(labels, name=f'{name}_gt', **placed)


def _step(dock: Any) -> int:
    seen = dock.runs.last
    return 0 if seen is None else int(seen.status.step)


def _grab(widget: QWidget) -> Image.Image:
    """Return a widget as it is seen."""
    shown = widget.grab().toImage()
    bits = shown.convertToFormat(shown.Format.Format_RGB888)
    pointer = bits.constBits()
    pointer.setsize(bits.sizeInBytes())
    rows = np.frombuffer(pointer, np.uint8).reshape(bits.height(), -1)
    pixels = rows[:, : 3 * bits.width()].reshape(bits.height(), -1, 3)
    return Image.fromarray(pixels.copy())


def _save(parts: list[Image.Image]) -> None:
    """Put the parts beside each other, aligned at the top."""
    gap = 12
    width = sum(part.width + gap for part in parts) - gap
    size = (width, max(part.height for part in parts))
    picture = Image.new('RGB', size, parts[0].getpixel((0, 0)))
    x = 0
    for part in parts:
        picture.paste(part, (x, 0))
        x += part.width + gap
    few = picture.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE)
    few.save(OUT, optimize=True)
    print(f'{OUT}: {picture.size}, {OUT.stat().st_size // 1024} KB')


def _until(done: Callable[[], bool], seconds: float = 3600) -> None:
    start = time.monotonic()
    while not done():
        _wait(30)
        if time.monotonic() - start > seconds:
            sys.exit('this takes too long')


def _wait(ms: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


if __name__ == '__main__':
    main()
