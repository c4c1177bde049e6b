"""Closing napari while a run goes on, in napari sessions of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.runs.folders import VARIABLE
from napari_adacs.runs.run import TrainingRun, list_runs
from napari_adacs.runs.state import State

ROOT = Path(__file__).parents[2]
LONG = 600
GO_ON, STOP, CANCEL = 'Go on in the background', 'Stop and keep', 'Cancel'
pytestmark = [pytest.mark.gui, pytest.mark.timeout(3 * LONG)]

Play = Callable[..., dict[str, Any]]


@pytest.fixture
def play(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Play]:
    """Play a session of napari, and return what was seen in it."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / 'runs'))
    monkeypatch.setenv(FOLDER_VARIABLE, str(model_folder))
    monkeypatch.setenv('NAPARI_CONFIG', str(tmp_path / 'settings.yaml'))

    def session(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, '-m', 'tests.gui.closing_session', *words],
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=LONG,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    yield session
    for run in list_runs():
        run.kill()


def wait_for(done: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not done():
        assert time.monotonic() < end
        time.sleep(0.2)


def the_run(seen: dict[str, Any]) -> TrainingRun:
    (run,) = list_runs()
    assert run.name == seen['run']
    return run


def test_a_run_goes_on_and_the_next_session_finds_it(play: Play) -> None:
    seen = play('begin', CANCEL, GO_ON)
    question = f'{seen["run"]} is still being trained.'
    assert seen['asked'] == [question] * 2
    assert seen['visible'] == [True, False]
    run = the_run(seen)
    reached = run.status().step
    wait_for(lambda: run.status().step > reached)
    assert run.status().state is State.RUNNING

    again = play('look', STOP)
    assert again['run'] == seen['run']
    assert again['step'] > seen['step']
    assert again['page'] == 1
    assert (again['asked'], again['visible']) == ([question], [False])
    wait_for(lambda: run.status().state.ended)
    assert run.status().state is State.STOPPED
    # what it has learnt is kept
    assert run.outcome() is not None
    assert run.status().resumable


def test_stop_ends_the_run_of_the_same_session(play: Play) -> None:
    seen = play('begin', STOP)
    assert seen['visible'] == [False]
    run = the_run(seen)
    wait_for(lambda: run.status().state.ended)
    assert run.status().state is State.STOPPED
    assert run.status().step >= seen['step']
    assert run.outcome() is not None
