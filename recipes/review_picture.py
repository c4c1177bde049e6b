"""Make the picture of the Review dock for the documentation.

Needs a screen, a virtual one will do: `make screenshots` runs it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

IMAGES = Path(__file__).parents[1] / 'docs' / 'images'
_PATIENCE_S = 300.0


def main() -> None:
    """Register the 3D sample, decide about some slices, take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ['NAPARI_ADACS_REVIEWS'] = folder
        _take(IMAGES / 'review_slices.png')


def _take(path: Path) -> None:
    import napari
    from napari.layers import Labels

    from napari_adacs.app.review.verdicts import Verdict
    from napari_adacs.widgets.register_dock import RegisterDock
    from napari_adacs.widgets.review_dock import ReviewDock

    viewer = napari.Viewer()
    viewer.window.resize(1500, 1000)
    viewer.open_sample('napari-adacs', 'echo3d')
    register = RegisterDock(viewer)
    viewer.window.add_dock_widget(register, name='Register')
    labels = [x for x in viewer.layers if isinstance(x, Labels)]
    register.form.labels.choose(labels[0])
    _wait(lambda: register.run_bar.ready)
    register.register()
    _wait(lambda: not register.state.busy)
    viewer.window.remove_dock_widget(register)
    review = ReviewDock(viewer)
    viewer.window.add_dock_widget(review, name='Review')
    _wait(lambda: review.desk is not None)
    desk = review.desk
    desk.go(16)
    for number in range(20):
        desk.judge(Verdict.FLAG if number % 7 == 3 else Verdict.ACCEPT)
    desk.go_to_worst()
    desk.judge(Verdict.REJECT)
    desk.go(next(i for i, j in desk.review.along(0).items() if j.verdict))
    desk.undo()
    desk.redo()
    desk.annotate('lateral wall fades out')
    review.slices.show_place()
    review.views.buttons['overlay'].click()
    _wait(lambda: False, 2.0)
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    # napari would ask whether to close
    os._exit(0)


def _wait(condition: Callable[[], bool], seconds: float = _PATIENCE_S) -> None:
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance()
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.01)


if __name__ == '__main__':
    sys.exit(main())
