"""``napari-adacs demo``: the main job in a real window, by its own buttons."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imread

from napari_adacs.app.samples import FOLDER
from napari_adacs.io.nifti import read_volume
from tests.cli.conftest import Run

SRC = Path(__file__).parents[2] / 'src'

# A person who closes the window while it works, then the whole demo.
LINES = """
import sys
from qtpy.QtCore import QTimer
from napari.qt import get_qapp
from napari_adacs.app import demo
from napari_adacs.cli import main

press = demo._press

def press_and_close(viewer, dock):
    QTimer.singleShot(0, viewer.close)
    press(viewer, dock)

demo._press = press_and_close
said = []
demo.run_demo(None, say=said.append)
print('closed early after', said)
demo._press = press
sys.exit(main(['demo', '--headless', '-o', sys.argv[1]]))
"""


@pytest.mark.gui
@pytest.mark.slow
def test_the_demo_writes_everything(
    tmp_path: Path, model_folder: Path
) -> None:
    out = tmp_path / 'demo'
    path = os.pathsep.join([str(SRC), os.environ.get('PYTHONPATH', '')])
    done = subprocess.run(
        [sys.executable, '-c', LINES, str(out)],
        env={**os.environ, 'PYTHONPATH': path},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "closed early after ['Opened the 3D echo sample.']" in done.stdout
    for text in ('Registered: echo3d_ED → echo3d_ES', 'HD95 (mm)', 'mean '):
        assert text in done.stdout
    assert {file.name for file in out.iterdir()} >= {
        'warped.nii.gz',
        'displacement.nii.gz',
        'warped_labels.nii.gz',
        'metrics.csv',
        'run.json',
        'screenshot.png',
    }
    fixed = read_volume(FOLDER / 'echo3d_ES.nii.gz')
    warped = read_volume(out / 'warped.nii.gz')
    assert warped.grid.same_space(fixed.grid)
    with (out / 'metrics.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [row['label'] for row in rows] == ['1', '2', '3', 'mean']
    assert all(float(row['DSC after']) > 0 for row in rows)
    record = json.loads((out / 'run.json').read_text(encoding='utf-8'))
    assert str(FOLDER / 'echo3d_ES.nii.gz') in record['command']
    picture = np.asarray(imread(out / 'screenshot.png'))
    assert picture.shape[0] > 600
    assert picture.shape[1] > 900
    # a window with an image in it, not a blank rectangle
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 500


def test_without_a_folder_headless_makes_no_sense(run: Run) -> None:
    ran = run('demo', '--headless')
    assert ran.code == 2
    assert '-o DIR' in ran.err


@pytest.mark.skipif(
    not sys.platform.startswith('linux'), reason='screens differ'
)
def test_without_a_screen_it_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    ran = run('demo', '-o', tmp_path / 'out')
    assert ran.code == 2
    assert 'no screen' in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.gui
def test_a_folder_that_cannot_be_written_opens_no_window(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / 'taken').write_text('mine')
    ran = run('demo', '--headless', '-o', tmp_path / 'taken')
    assert ran.code == 2
    assert 'is a file' in ran.err
