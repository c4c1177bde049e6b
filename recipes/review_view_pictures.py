"""Make the pictures of the review views from the bundled samples.

    python recipes/review_view_pictures.py [FOLDER]

Registers the samples with the bundled models in a napari window, shows one
view after the other and saves the canvas, small.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from threading import Event

os.environ.setdefault('QT_API', 'pyqt6')

import napari
from napari.qt import get_qapp
from PIL import Image

from napari_adacs.app.chosen import Chosen
from napari_adacs.app.prepared import prepare
from napari_adacs.app.samples import echo2d, echo3d
from napari_adacs.app.session import Run
from napari_adacs.widgets.parts.view_bar import ViewBar

FOLDER = Path(__file__).parents[1] / 'docs' / 'images' / 'review'
WIDTH = 320
VALUES = {'checkerboard': {'size': 13}, 'grid': {'distance': 7}}


def main() -> None:
    """Make all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    viewer, run, bar = _open(echo2d, 'echo2d')
    for name in bar.buttons:
        bar.switch.show(name)
        for option, value in VALUES.get(name, {}).items():
            bar.switch.set_value(option, value)
        _save(viewer, folder / f'{name}.png')
    bar.switch.show('blink')
    bar.switch.show(None)
    _close(viewer, bar)
    viewer, run, bar = _open(echo3d, 'echo3d')
    bar.switch.show('overlay')
    _map(bar, 'score')
    bar.maps.contour.setChecked(True)
    _save(viewer, folder / 'map-score.png')
    _map(bar, 'jacobian')
    bar.maps.contour.setChecked(False)
    _save(viewer, folder / 'map-jacobian.png')
    bar.maps.combo.setCurrentIndex(0)
    bar.planes.click()
    bar.switch.show('checkerboard')
    _settle(1.5)
    image = viewer.screenshot(canvas_only=False, flash=False)
    _write(image, folder / 'planes.png', 2 * WIDTH)
    _close(viewer, bar)


def _open(sample: object, name: str) -> tuple[napari.Viewer, Run, ViewBar]:
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1180, 640)
    for data, options, kind in sample():
        viewer.add_layer(napari.layers.Layer.create(data, options, kind))
    layers = viewer.layers
    ready = prepare(
        Chosen(
            layers[f'{name}_ED'],
            layers[f'{name}_ES'],
            labels=layers[f'{name}_ED_labels'],
        )
    )
    finished = ready.run(lambda fraction, message: None, Event())
    for _ in ready.group(viewer, finished).show(finished.specs):
        pass
    run = ready.remember(finished)
    bar = ViewBar(viewer)
    viewer.window.add_dock_widget(bar, name='Review')
    bar.set_run(run)
    _settle()
    viewer.reset_view()
    return viewer, run, bar


def _map(bar: ViewBar, name: str) -> None:
    bar.maps.combo.setCurrentIndex(bar.maps.combo.findData(name))


def _save(viewer: napari.Viewer, path: Path) -> None:
    _settle()
    _write(viewer.screenshot(canvas_only=True, flash=False), path, WIDTH)


def _write(image: object, path: Path, width: int) -> None:
    picture = Image.fromarray(image).convert('RGB')
    height = round(picture.height * width / picture.width)
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    picture.quantize(256).save(path, optimize=True)


def _close(viewer: napari.Viewer, bar: ViewBar) -> None:
    bar.close_views()
    _settle()
    viewer.close()


def _settle(seconds: float = 0.6) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        get_qapp().processEvents()
        time.sleep(0.01)


if __name__ == '__main__':
    main()
