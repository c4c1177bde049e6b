"""``napari-adacs benchmark``: a run, its files, and what may go wrong."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from scipy.io import savemat
from scipy.ndimage import gaussian_filter

SRC = Path(__file__).parents[2] / 'src'


@pytest.fixture
def data(tmp_path):
    """Six small pairs of images with labels."""
    folder = tmp_path / 'data'
    folder.mkdir()
    y, x = np.ogrid[:32, :32]
    for index in range(6):
        radius = np.hypot(y - 16, x - 15 - index % 3)
        frames = {}
        for frame, size in (('ED', 11), ('ES', 9)):
            labels = np.zeros((32, 32), np.uint8)
            labels[radius < size] = 2
            labels[radius < size - 4] = 1
            frames[f'label_{frame}'] = labels
            noise = np.random.default_rng(index).normal(0, 3, (32, 32))
            frames[f'im_{frame}'] = gaussian_filter(50.0 * labels, 1) + noise
        savemat(folder / f'case{index}.mat', frames)
    return folder


def records(out):
    """Return all records on disk; each must be complete."""
    return {
        file: json.loads(file.read_text(encoding='utf-8'))
        for file in out.glob('cases/*/[!.]*.json')
    }


def command(data, out, *peers):
    """Return what compares the small model with some peers."""
    models = ('--models', 'small-2d')
    return ('benchmark', data, *models, '--peers', *peers, '-o', out)


def start(*words, **more):
    """Start the command as a process group of its own."""
    environment = {**os.environ, 'PYTHONPATH': str(SRC)}
    return subprocess.Popen(
        [sys.executable, '-m', 'napari_adacs', *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a background job is born deaf to Ctrl-C
        preexec_fn=_hear_ctrl_c if os.name == 'posix' else None,
        **more,
    )


def _hear_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it never happened'
        time.sleep(0.005)


def test_a_run_and_its_files(run, data, tmp_path):
    out = tmp_path / 'out'
    words = (
        *command(data, out, 'demons'),
        '--label-name',
        '1=cavity',
        '2=wall',
    )
    done = run(*words)
    assert done.code == 0, done.err
    assert '| small-2d |' in done.out
    assert '| demons |' in done.out
    assert len(records(out)) == 18
    with (out / 'results.csv').open(newline='') as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6 * 3 * 3
    assert {row['label'] for row in rows} == {'1', '2', 'mean'}
    assert {row['units'] for row in rows} == {'voxel'}
    assert all(0 <= float(row['DSC']) <= 1 for row in rows)
    page = (out / 'report.html').read_text(encoding='utf-8')
    assert 'Label 2, wall' in page
    assert 'Maps against the squared residual' in page
    assert 'Calibration of the variance' in page
    assert 'benchmark' in page.split('Command')[1][:60]
    with (out / 'differences.csv').open(newline='') as stream:
        tests = list(csv.DictReader(stream))
    assert {(t['method'], t['reference']) for t in tests} == {
        ('demons', 'small-2d')
    }
    # a second time there is nothing to do
    before = {f: f.stat().st_mtime_ns for f in records(out)}
    again = run(*words, '--reference', 'demons', '--preset', 'code')
    assert again.code == 0
    assert "rules of the authors' script" in again.out
    assert {f: f.stat().st_mtime_ns for f in records(out)} == before


def test_a_bad_case_does_not_stop_the_rest(run, data, tmp_path):
    (data / 'case3.mat').write_bytes(b'half a fi')
    words = command(data, tmp_path / 'out')
    done = run(*words)
    assert done.code == 0, done.err
    assert '2 of 12 registrations failed' in done.out
    page = (tmp_path / 'out' / 'report.html').read_text(encoding='utf-8')
    assert 'case3.mat is damaged' in page
    # the file is repaired: it is another case now, and done
    good = (data / 'case2.mat').read_bytes()
    (data / 'case3.mat').write_bytes(good)
    again = run(*words)
    assert 'failed' not in again.out


def test_killed_and_continued(data, tmp_path, run):
    out = tmp_path / 'out'
    words = (*command(data, out, 'demons'), '--jobs', '2')
    process = start(*words)
    wait_for(lambda: len(list(out.glob('cases/*/[!.]*.json'))) >= 4)
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_for(lambda: not any(p.is_running() for p in family))
    kept = records(out)
    assert 4 <= len(kept) < 18
    assert not (out / 'report.html').exists()
    times = {f: f.stat().st_mtime_ns for f in kept}
    done = run(*words)
    assert done.code == 0, done.err
    assert len(records(out)) == 18
    assert {f: f.stat().st_mtime_ns for f in kept} == times
    assert not list(out.rglob('.tmp-*'))
    assert (out / 'report.html').exists()


def test_interrupted(data, tmp_path):
    out = tmp_path / 'out'
    process = start(*command(data, out, 'demons'))
    wait_for(lambda: len(list(out.glob('cases/*/[!.]*.json'))) >= 2)
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert 'the same command continues' in printed
    assert 'Traceback' not in errors
    wait_for(lambda: not any(p.is_running() for p in family))
    assert len(records(out)) >= 2


def test_a_dask_cluster_does_the_same(run, data, tmp_path):
    distributed = pytest.importorskip('distributed')
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        dashboard_address=None,
    ) as cluster:
        words = command(data, tmp_path / 'cluster')
        done = run(*words, '--dask', cluster.scheduler_address)
    assert done.code == 0, done.err
    assert run(*command(data, tmp_path / 'here')).code == 0
    here, there = (
        {
            (r['case'], r['method']): r['scores']['labels']
            for r in records(tmp_path / name).values()
        }
        for name in ('here', 'cluster')
    )
    assert len(here) == 12
    assert here == there


@pytest.mark.parametrize(
    ('words', 'sentence'),
    [
        (['--models', 'small-3d'], '3D'),
        (['--models', 'no-such-model'], 'no model'),
        (['--peers', 'no-such-peer'], 'no method'),
        (['--models', 'small-2d', 'small-2d'], 'named twice'),
        (['--device', 'cuda:99'], ''),
        (['--reference', 'ants'], 'not among the methods'),
        (['--dask', 'tcp://127.0.0.1:1'], 'No Dask scheduler'),
    ],
)
def test_refused_before_computing(run, data, tmp_path, words, sentence):
    if '--dask' in words:
        pytest.importorskip('distributed')
    out = tmp_path / 'out'
    usual = [] if '--models' in words else ['--models', 'small-2d']
    usual += [] if '--peers' in words else ['--peers']
    done = run('benchmark', data, '-o', out, *usual, *words)
    assert done.code == 2
    assert sentence in done.err
    assert not records(out)


def test_no_cases(run, tmp_path):
    done = run('benchmark', tmp_path, '-o', tmp_path / 'out')
    assert done.code == 2
    assert 'no pairs of images' in done.err
    done = run('benchmark', 'phantom:x', '-o', tmp_path / 'out')
    assert done.code == 2
    assert not (tmp_path / 'out').exists()
