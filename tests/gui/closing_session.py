"""A napari session of its own, closed by a person while a run goes on.

    python -m tests.gui.closing_session begin|look ANSWER...

`begin` starts a run on layers of the window, `look` opens a dock that shall
find it. Then the window is closed once per answer, and the button with that
text is clicked in the question. One line of JSON says what was seen.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_adacs.models import library
from napari_adacs.runs.state import State
from tests.app.pairs import texture

PLUGIN = 'napari-adacs'
LONG = 300.0
_STEPS = 100_000


class Session:
    """What a person does in a window, in the event loop of napari."""

    def __init__(self, what: str, answers: list[str]) -> None:
        self.viewer = napari.Viewer()
        self.window = self.viewer.window._qt_window
        self._what, self._answers = what, answers
        self.seen: dict[str, Any] = {'asked': [], 'visible': []}
        self.error = ''
        QTimer.singleShot(0, self._play)

    def _play(self) -> None:
        try:
            if self._what == 'begin':
                self._add_layers()
            _, dock = self.viewer.window.add_plugin_dock_widget(
                PLUGIN, 'Fine-tune'
            )
            if self._what == 'begin':
                self._start(dock)
            until(lambda: _running(dock))
            self.seen |= {
                'run': dock.runs.folder.name,
                'step': dock.runs.last.status.step,
                'page': dock.tabs.bar.currentIndex(),
            }
            for answer in self._answers:
                self._close(answer)
        except Exception as error:  # noqa: BLE001  for the test to see
            self.error = repr(error)
            QApplication.instance().exit(1)

    def _add_layers(self) -> None:
        units = {'units': ('mm', 'mm')}
        for patient in range(3):
            image = texture((32, 32), patient)
            for frame, name in enumerate(('ED', 'ES')):
                moved = np.roll(image, frame, 0)
                name = f'p{patient}_{name}'
                self.viewer.add_image(moved, name=name, **units)

    def _start(self, dock: Any) -> None:
        form = dock.new.form
        form.budget.unit.setCurrentText('steps')
        form.budget.steps.setValue(_STEPS)
        form.batch.setValue(1)
        until(dock.new.bar.button.isEnabled)
        dock.new.bar.button.click()

    def _close(self, answer: str) -> None:
        """Close the window as its cross does, and answer the question."""
        timer = QTimer()
        timer.timeout.connect(lambda: self._click(answer))
        timer.start(50)
        self.window.close()
        timer.stop()
        self.seen['visible'].append(self.window.isVisible())

    def _click(self, answer: str) -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            return
        for button in box.buttons():
            if button.text().replace('&', '') == answer:
                self.seen['asked'].append(box.text())
                button.click()


def until(done: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    end = time.monotonic() + LONG
    while not done():
        if time.monotonic() > end:
            raise TimeoutError
        loop = QEventLoop()
        QTimer.singleShot(50, loop.quit)
        loop.exec()


def _running(dock: Any) -> bool:
    last = dock.runs.last
    return (
        last is not None
        and last.status.state is State.RUNNING
        and last.status.step > 0
    )


def main() -> int:
    """Play a session; return the exit code of napari's event loop."""
    what, *answers = sys.argv[1:]
    # small models only
    library._BUNDLED = Path(__file__).with_name('none')
    session = Session(what, answers)
    code = QApplication.instance().exec()
    print(json.dumps(session.seen), session.error, flush=True)
    return int(code)


if __name__ == '__main__':
    sys.exit(main())
