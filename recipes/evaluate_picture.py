"""Draw docs/images/evaluate.png: what the Evaluate dock shows.

    xvfb-run -a python recipes/evaluate_picture.py

Registers the 3D echo sample in a real window, evaluates it, and puts the
coloured surface and the pages of the dock beside each other.
"""

from __future__ import annotations

import os
import sys
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
OUT = Path(__file__).parents[1] / 'docs' / 'images' / 'evaluate.png'
_LABEL = 2  # the myocardium
_HEIGHT = 596
_COLOURS = 256


def main() -> None:
    """Open a window, press the buttons, save the picture."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 1000)
    viewer.open_sample(PLUGIN, 'echo3d')
    window = viewer.window
    _, register = window.add_plugin_dock_widget(PLUGIN, 'Register')
    _, dock = window.add_plugin_dock_widget(PLUGIN, 'Evaluate', tabify=True)
    register.form.labels.choose(viewer.layers['echo3d_ED_labels'])
    _wait(200)
    register.run_bar.button.click()
    _until(lambda: not register.state.busy)
    _until(lambda: dock.form.runs.run() is not None)
    _wait(300)
    dock.run_bar.button.click()
    _until(lambda: not dock.state.busy)
    dock.metrics.table.selectRow(_LABEL - 1)
    pages = [_page(dock, dock.slices), _trust(dock)]
    surface = _surface(viewer, dock)
    viewer.close()
    _save([surface, *pages])


def _trust(dock: Any) -> Image.Image:
    dock.tabs.show_page(dock.trust)
    dock.trust.region.setCurrentText('image above 0')
    _until(lambda: not dock.trust.busy)
    return _page(dock, dock.trust)


def _surface(viewer: Any, dock: Any) -> Image.Image:
    """Return the canvas with the surface after registration."""
    dock.tabs.show_page(dock.surface)
    dock.surface.run_bar.button.click()
    _until(lambda: not dock.surface.state.busy)
    _wait(500)
    viewer.scene.camera.angles = (5, -20, 110)
    _wait(500)
    shown = Image.fromarray(viewer.screenshot(flash=False)).convert('RGB')
    spare = (shown.height - round(1.35 * shown.width)) // 2
    return shown.crop((0, 0, shown.width, shown.height - 2 * max(spare, 0)))


def _page(dock: Any, page: QWidget) -> Image.Image:
    """Return the table and one page below it."""
    dock.tabs.show_page(page)
    _wait(400)
    table = _grab(dock.metrics.table)
    below = _grab(dock.tabs)
    whole = Image.new(
        'RGB',
        (max(table.width, below.width), table.height + below.height),
        below.getpixel((0, 0)),
    )
    whole.paste(table, (0, 0))
    whole.paste(below, (0, table.height))
    return whole


def _grab(widget: QWidget) -> Image.Image:
    """Return a part of the window, as it is seen."""
    window = widget.window()
    corner = widget.mapTo(window, widget.rect().topLeft())
    shown = window.grab().toImage()
    bits = shown.convertToFormat(shown.Format.Format_RGB888)
    pointer = bits.constBits()
    pointer.setsize(bits.sizeInBytes())
    rows = np.frombuffer(pointer, np.uint8).reshape(bits.height(), -1)
    pixels = rows[:, : 3 * bits.width()].reshape(bits.height(), -1, 3)
    y, x = corner.y(), corner.x()
    part = pixels[y : y + widget.height(), x : x + widget.width()]
    return Image.fromarray(part.copy())


def _save(parts: list[Image.Image]) -> None:
    """Put the parts beside each other, all equally high."""
    scaled = [
        part.resize((round(part.width * _HEIGHT / part.height), _HEIGHT))
        if index == 0
        else part
        for index, part in enumerate(parts)
    ]
    gap = 12
    size = (sum(p.width + gap for p in scaled) - gap, _HEIGHT)
    picture = Image.new('RGB', size, parts[-1].getpixel((0, 0)))
    x = 0
    for part in scaled:
        picture.paste(part, (x, 0))
        x += part.width + gap
    # the median cut would leave out the few red voxels
    few = picture.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE)
    few.save(OUT, optimize=True)
    print(f'{OUT}: {picture.size}, {OUT.stat().st_size // 1024} KB')


def _until(done: Callable[[], bool], seconds: float = 600) -> None:
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
