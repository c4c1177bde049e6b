"""A day's work in the Review dock, in a real window, with keys."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_adacs.app import session
from napari_adacs.app.review.verdicts import Verdict
from napari_adacs.models.library import FOLDER_VARIABLE
from tests.gui.conftest import Open

pytestmark = pytest.mark.gui

LONG = 120_000
FLAGGED = (20, 31, 40)


@pytest.fixture(autouse=True)
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder in which reviews of unsaved results are kept."""
    folder = tmp_path / 'reviews'
    monkeypatch.setenv('NAPARI_ADACS_REVIEWS', str(folder))
    return folder


def _click(qtbot: Any, dock: Any, name: str) -> None:
    button = dock.findChild(QPushButton, name)
    assert button is not None
    qtbot.waitUntil(button.isEnabled, timeout=LONG)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def _register(qtbot: Any, open_dock: Open) -> None:
    dock = open_dock('Register')
    qtbot.wait(100)
    _click(qtbot, dock, 'register_button')
    qtbot.waitUntil(lambda: not dock.state.busy, timeout=LONG)
    qtbot.wait(300)


def _open_review(qtbot: Any, open_dock: Open) -> Any:
    dock = open_dock('Review')
    qtbot.waitUntil(lambda: dock.desk is not None, timeout=LONG)
    qtbot.wait(50)
    return dock


class _Keys:
    """Presses keys as the canvas hears them."""

    def __init__(self, viewer: Viewer, qtbot: Any) -> None:
        self._viewer, self._qtbot = viewer, qtbot

    def __call__(self, key: str) -> None:
        keymap = {str(k): f for k, f in self._viewer.keymap.items()}
        keymap[key.replace('-', '+')](self._viewer)
        self._qtbot.wait(5)


def _walk(dock: Any, press: _Keys, flagged: tuple[int, ...]) -> None:
    """Decide about every slice with nothing but keys."""
    dock.desk.go(0)
    for index in range(len(dock.desk.figures)):
        assert dock.desk.current == index
        press('Shift-F' if index in flagged else 'Shift-A')


def _given(dock: Any) -> dict[int, Verdict | None]:
    return {i: j.verdict for i, j in dock.desk.review.along(0).items()}


def _journey(
    viewer: Viewer, open_dock: Open, qtbot: Any, folder: Path
) -> dict[int, Verdict | None]:
    """Register, review, export, save; return the verdicts."""
    _register(qtbot, open_dock)
    dock = _open_review(qtbot, open_dock)
    press = _Keys(viewer, qtbot)
    _walk(dock, press, FLAGGED)
    count = len(dock.desk.figures)
    assert f'{count} of {count} reviewed' in dock.slices.progress.text()
    dock.desk.go(31)
    qtbot.wait(20)
    qtbot.keyClicks(dock.slices.verdicts.note, 'septum')
    report = folder.parent / 'report.html'
    dock.files.export_to(report)
    qtbot.waitUntil(
        lambda: (
            'Exported' in dock.message.text()
            and not dock.files._runner.running
        ),
        timeout=LONG,
    )
    text = report.read_text(encoding='utf-8')
    assert len(re.findall('<section>', text)) == len(FLAGGED)
    assert 'septum' in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    dock.files.save_to(folder)
    qtbot.waitUntil(lambda: 'Saved to' in dock.message.text(), timeout=LONG)
    given = _given(dock)
    assert {i for i, v in given.items() if v is Verdict.FLAG} == set(FLAGGED)
    viewer.window.remove_dock_widget(dock)
    assert not viewer.keymap
    viewer.layers.clear()
    session._RUNS.clear()
    return given


def _come_back(
    open_dock: Open, qtbot: Any, folder: Path, given: dict[int, Any]
) -> None:
    """Open the folder in an empty viewer and find everything."""
    dock = open_dock('Review')
    dock.files.open_folder(folder)
    qtbot.waitUntil(lambda: dock.desk is not None, timeout=LONG)
    assert _given(dock) == given
    assert dock.desk.review.at((0, 31)).note == 'septum'
    assert dock.desk.ready.path == folder / 'review.json'


@pytest.mark.slow
def test_the_sample(
    viewer: Viewer, open_dock: Open, qtbot: Any, tmp_path: Path
) -> None:
    viewer.open_sample('napari-adacs', 'echo3d')
    given = _journey(viewer, open_dock, qtbot, tmp_path / 'out')
    _come_back(open_dock, qtbot, tmp_path / 'out', given)


@pytest.mark.slow
def test_real_echo(
    viewer: Viewer,
    open_dock: Open,
    qtbot: Any,
    tmp_path: Path,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()  # the bundled models
    monkeypatch.setenv('NAPARI_ADACS_REVIEWS', str(tmp_path / 'reviews'))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    files = shared_data / 'mitea-034'
    for name in ('ED', 'ES', 'ED_label', 'ES_label'):
        viewer.open(files / f'{name}.nii.gz', plugin='napari-adacs')
    given = _journey(viewer, open_dock, qtbot, tmp_path / 'out')
    _come_back(open_dock, qtbot, tmp_path / 'out', given)


def test_the_2d_sample(viewer: Viewer, open_dock: Open, qtbot: Any) -> None:
    viewer.open_sample('napari-adacs', 'echo2d')
    _register(qtbot, open_dock)
    dock = _open_review(qtbot, open_dock)
    _Keys(viewer, qtbot)('Shift-R')
    assert '1 of 1 reviewed' in dock.slices.progress.text()


_WORKER = """
import sys, threading
from pathlib import Path
from napari.components import ViewerModel
from napari_adacs.app.review.desk import ReviewDesk
from napari_adacs.app.review.ready import make_ready, review_request
from napari_adacs.app.review.verdicts import Verdict
from tests.app.review.runs import shown_run
viewer = ViewerModel()
run = shown_run(viewer)
ready = make_ready(
    review_request(viewer, run), lambda *_: None, threading.Event()
)
desk = ReviewDesk(viewer, ready, print)
desk.advances = False
print('ready', ready.path, len(desk.review.judgements), flush=True)
if 'again' in sys.argv:
    sys.exit()
for number in range(10_000):
    desk.go(number % 16)
    desk.annotate(f'note {number}')
    print('said', number, flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(
    not hasattr(signal, 'SIGKILL'), reason='no SIGKILL on this system'
)
def test_killing_loses_the_last_keystroke_at_most(tmp_path: Path) -> None:
    """Killed between two keystrokes, what came before is in the file."""
    environment = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join(sys.path),
        'QT_QPA_PLATFORM': 'offscreen',
    }
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, '-c', _WORKER],
        env=environment,
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    path = Path(process.stdout.readline().split()[1])
    for number in range(25):
        assert process.stdout.readline() == f'said {number}\n'
        time.sleep(0.1)  # nobody types faster
        process.stdin.write('\n')
        process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    content = json.loads(path.read_text(encoding='utf-8'))
    notes = {int(i): said['note'] for i, said in content['axes']['0'].items()}
    # keystroke 25 was heard; 24 and all before it must be there
    for number in range(10, 25):
        assert int(notes[number % 16].split()[1]) >= number
    done = subprocess.run(
        [sys.executable, '-c', _WORKER, 'again'],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split()[-1] == '16', done.stderr
