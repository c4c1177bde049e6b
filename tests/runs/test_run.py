"""A run in its own process: seen, steered, lost and found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.models.bundle import read_header
from napari_adacs.runs import process
from napari_adacs.runs.launch import resume, start
from napari_adacs.runs.plan import TrainingPlan
from napari_adacs.runs.run import TrainingRun, list_runs
from napari_adacs.runs.state import State
from napari_adacs.training.checkpoint import load_checkpoint
from tests.runs.conftest import (
    Start,
    ended,
    endless,
    running,
    small_config,
    until,
)

ROOT = Path(__file__).parents[2]
# Each starts a process that loads torch.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ON_UNIX = pytest.mark.skipif(os.name == 'nt', reason='needs signals')


def test_a_run_trains_and_finishes(begin: Start) -> None:
    run = begin()
    assert run.status().state in (State.STARTING, State.RUNNING)
    status = ended(run)
    assert status.state is State.FINISHED, status
    assert (status.step, status.total) == (12, 12)
    assert status.stage == 'joint'
    assert status.seconds > 0
    assert not status.resumable
    assert read_header(run.folder / 'model.safetensors').name == 'made-2d'
    figures = run.figures()
    trained = [1, 2, 3, *range(7, 13)]
    np.testing.assert_array_equal(figures['data'].steps, trained)
    # validation begins with what the run started from
    np.testing.assert_array_equal(figures['val_mse'].steps, [0, 4, 8, 12])
    preview = run.preview()
    assert preview is not None
    assert preview.step == 12
    assert {'moving', 'fixed', 'warped', 'score'} <= set(preview.images)
    assert run.preview() is None  # seen already
    outcome = run.outcome()
    assert outcome is not None
    assert outcome.before_name == 'no registration'
    assert {row.measure for row in outcome.rows} >= {'DSC', 'HD', 'folded %'}
    assert all(row.n == 3 for row in outcome.rows)
    with pytest.raises(InputError, match='nothing to go on from'):
        resume(run.folder)


def test_a_run_rests_goes_on_and_stops_with_its_model(begin: Start) -> None:
    run = begin(endless())
    assert running(run, 3).stage == 'displacement'
    run.pause()
    paused = until(run, lambda status: status.state is State.PAUSED)
    time.sleep(0.5)
    assert run.status().step == paused.step
    assert load_checkpoint(run.folder)['step'] == paused.step
    with pytest.raises(InputError, match='is running'):
        resume(run.folder)
    run.go_on()
    running(run, paused.step + 2)
    run.stop()
    assert run.status().state in (State.STOPPING, State.STOPPED)
    status = ended(run)
    assert status.state is State.STOPPED
    assert paused.step < status.step < status.total
    assert f'after step {status.step}' in status.sentence
    assert status.resumable
    assert not (run.folder / 'control.json').exists()
    outcome = run.outcome()
    assert outcome is not None
    assert outcome.bundle.name == 'model.safetensors'
    assert outcome.rows


@ON_UNIX
def test_a_killed_run_goes_on_with_the_same_numbers(begin: Start) -> None:
    """Killed at some step, the curve is that of a run that was not."""
    stages = {'displacement': 10, 'auxiliary': 10, 'joint': 180}
    config = small_config(stages=stages, validate_every=50)
    whole, broken = begin(config, 'whole'), begin(config, 'broken')
    killed = running(broken, 20).step
    os.kill(_pid(broken), signal.SIGKILL)
    status = ended(broken)
    assert status.state is State.FAILED, status
    assert status.resumable
    assert 'SIGKILL' in status.sentence
    assert "'optimiser.accumulation' to 2" in status.sentence
    # what this session found out, any other one knows
    assert TrainingRun(broken.folder).status() == status
    resume(broken.folder)
    assert ended(broken).state is State.FINISHED
    assert ended(whole).state is State.FINISHED
    assert killed < 200
    expected, found = whole.figures(), broken.figures()
    assert set(expected) == set(found)
    for name, curve in expected.items():
        np.testing.assert_array_equal(found[name].steps, curve.steps, name)
        np.testing.assert_array_equal(found[name].values, curve.values, name)


def _pid(run: TrainingRun) -> int:
    return int(json.loads((run.folder / 'status.json').read_text())['pid'])


LOOK = """
import sys
from napari_adacs.runs.run import TrainingRun
run = TrainingRun(sys.argv[1])
print(run.status().state, len(run.figures()['data'].steps) > 0)
run.stop()
assert 'torch' not in sys.modules
"""


def test_another_session_sees_a_run_and_stops_it(begin: Start) -> None:
    run = begin(endless())
    running(run, 2)
    done = subprocess.run(
        [sys.executable, '-c', LOOK, str(run.folder)],
        env=os.environ | {'PYTHONPATH': str(ROOT / 'src')},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ['running', 'True'], done.stderr
    assert ended(run).state is State.STOPPED


@ON_UNIX
def test_a_run_that_vanished_is_found_stopped(
    begin: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the computer was switched off, and a pid was used again."""
    run = begin(endless())
    running(run, 1)
    os.kill(_pid(run), signal.SIGKILL)
    process._children[run.folder].wait()
    monkeypatch.setattr(process, '_children', {})
    status = TrainingRun(run.folder).status()
    assert status.state is State.STOPPED
    assert status.resumable
    assert 'process is gone' in status.sentence
    path = run.folder / 'status.json'
    values = json.loads(path.read_text())
    # a process with that number that is another one
    path.write_text(json.dumps(values | {'pid': os.getpid()}))
    assert TrainingRun(run.folder).status().state is State.STOPPED
    # a process on another computer is trusted for as long as it writes
    elsewhere = values | {'host': 'elsewhere', 'written': time.time()}
    path.write_text(json.dumps(elsewhere))
    assert TrainingRun(run.folder).status().state is State.RUNNING


def test_bad_data_fail_with_a_sentence(begin: Start, tmp_path: Path) -> None:
    (tmp_path / 'empty' / 'train').mkdir(parents=True)
    run = begin(data=(str(tmp_path / 'empty'),))
    status = ended(run)
    assert status.state is State.FAILED
    assert 'no .mat files' in status.sentence
    assert not status.resumable
    assert run.outcome() is None
    # the same sentence is in the output, for those who look there
    output = (run.folder / 'output.txt').read_text()
    assert status.sentence.split('.')[0] in output


@pytest.mark.skipif(
    not hasattr(__import__('psutil').Process, 'rlimit'),
    reason='needs limits of other processes',
)
def test_running_out_of_memory_says_what_fits(begin: Start) -> None:
    """The child's memory is limited while it trains, as by a container."""
    import resource

    import psutil

    config = endless(shape=[256, 256], batch_size=8)
    run = begin(config)
    running(run, 1)
    child = psutil.Process(_pid(run))
    used = child.memory_info().vms
    child.rlimit(resource.RLIMIT_AS, (used, used))
    # what is freed in a step must be asked for again
    run.pause()
    run.go_on()
    status = ended(run)
    assert status.state is State.FAILED
    assert 'ran out of memory' in status.sentence, status
    assert "'optimiser.accumulation' to 2" in status.sentence
    assert status.resumable


@pytest.mark.skipif(os.name == 'nt', reason='has classes of priority')
def test_a_run_gives_way_to_the_window(begin: Start) -> None:
    import psutil

    run = begin(endless())
    running(run, 1)
    child = psutil.Process(_pid(run))
    assert child.nice() > psutil.Process().nice()
    group = Path(f'/proc/{child.pid}/autogroup')
    if group.exists() and 'nice' in group.read_text():
        assert group.read_text().split(' nice ')[1].strip() == '10'


def test_a_folder_holds_one_run(begin: Start, study: Path) -> None:
    run = begin(endless())
    running(run, 1)
    plan = TrainingPlan((str(study),), small_config(), run.folder, 'cpu')
    with pytest.raises(InputError, match='holds a training run'):
        start(plan)
    done = subprocess.run(
        [sys.executable, '-m', 'napari_adacs', *plan.arguments(), '--resume'],
        env=os.environ | {'PYTHONPATH': str(ROOT / 'src')},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'is being trained by process' in done.stderr
    assert run.status().state is State.RUNNING


def test_runs_are_listed_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_adacs.runs.folders import new_folder
    from napari_adacs.runs.records import read_plan, write_plan

    monkeypatch.setenv('NAPARI_ADACS_RUNS', str(tmp_path / 'runs'))
    assert list_runs() == []
    for moment, name in enumerate(('my hearts/2', 'other', 'my hearts/2')):
        folder = new_folder(name)
        plan = TrainingPlan(('phantom:2',), small_config(), folder)
        monkeypatch.setattr(time, 'time', lambda now=moment: 1e9 + now)
        write_plan(plan)
        assert read_plan(folder) == plan
    (tmp_path / 'runs' / 'something else').mkdir()
    names = ['my-hearts-2-2', 'other', 'my-hearts-2']
    assert [run.name for run in list_runs()] == names
