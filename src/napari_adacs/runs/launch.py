"""Starting the process of a run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from napari_adacs.errors import InputError
from napari_adacs.io.staging import check_folder
from napari_adacs.runs.control import forget_wishes
from napari_adacs.runs.files import OUTPUT, STATUS, read_json, write_json
from napari_adacs.runs.plan import TrainingPlan, absolute
from napari_adacs.runs.process import remember
from napari_adacs.runs.records import read_plan, write_config, write_plan
from napari_adacs.runs.run import TrainingRun
from napari_adacs.runs.state import State
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.run_files import CHECKPOINT, LOG

# A run in the background gives way to the window.
_NICENESS = 10
_NICEST = 19
_WINDOWS = (
    'CREATE_NEW_PROCESS_GROUP',
    'CREATE_NO_WINDOW',
    'BELOW_NORMAL_PRIORITY_CLASS',
)
_SOURCE = Path(__file__).resolve().parents[2]


def start(plan: TrainingPlan) -> TrainingRun:
    """Start a run in a process of its own.

    Parameters
    ----------
    plan : TrainingPlan
        What to do. Its configuration goes into the folder.

    Returns
    -------
    TrainingRun
        The run, which may still fail: its status says so.

    Raises
    ------
    InputError
        If the folder holds a run or cannot be written to.
    """
    folder = absolute(plan.folder)
    if any((folder / name).exists() for name in (CHECKPOINT, LOG, STATUS)):
        raise InputError(
            f'{folder} holds a training run already.',
            'Resume it, or choose another folder.',
        )
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_plan(plan)
    _launch(folder, plan.arguments(), {})
    return TrainingRun(folder)


def resume(
    folder: str | Path, config: TrainConfig | None = None
) -> TrainingRun:
    """Let a run that has stopped or failed go on from its checkpoint.

    Parameters
    ----------
    folder : str or Path
        Folder of the run.
    config : TrainConfig, optional
        With changes that a checkpoint bears, such as more accumulation
        after memory ran out.

    Raises
    ------
    InputError
        If it runs, has finished, or there is no checkpoint.
    """
    run = TrainingRun(folder)
    status = run.status()
    if not status.state.ended:
        raise InputError(f'{run.name} is running.', 'Stop it first.')
    if not status.resumable:
        raise InputError(
            f'{run.name} has nothing to go on from.', 'Start a new run.'
        )
    if config is not None:
        write_config(run.folder, config)
    # The steps that minutes allow are in the configuration by now.
    plan = replace(read_plan(run.folder), minutes=None)
    before = read_json(run.folder / STATUS) or {}
    kept = {name: before[name] for name in _KEPT if name in before}
    _launch(run.folder, [*plan.arguments(), '--resume'], kept)
    return run


_KEPT = ('step', 'total', 'stage', 'seconds')


def _launch(folder: Path, words: list[str], known: dict[str, Any]) -> None:
    """Start the process; what it prints goes into the folder."""
    forget_wishes(folder)
    status = {'state': State.STARTING.value, 'sentence': 'Starting.'}
    write_json(folder / STATUS, known | status | {'written': time.time()})
    with (folder / OUTPUT).open('ab') as output:
        process = subprocess.Popen(
            # -P: files of the current folder must not pass for packages
            [sys.executable, '-P', '-m', 'napari_adacs', *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            **_apart(),
        )
    remember(folder, process)
    if os.name != 'nt':
        _give_way(process.pid)


def _give_way(pid: int) -> None:
    """Let a process of its own session have less than the window gets.

    Where Linux groups processes by session, niceness counts inside of a
    group only: the group gets its own.
    """
    with contextlib.suppress(psutil.Error):
        child = psutil.Process(pid)
        child.nice(min(child.nice() + _NICENESS, _NICEST))
    with contextlib.suppress(OSError):  # there is no such file elsewhere
        group = Path(f'/proc/{pid}/autogroup')
        group.write_text(str(_NICENESS), encoding='ascii')


def _environment() -> dict[str, str]:
    """Return the environment, with this very package to be found."""
    found = dict(os.environ)
    # What is printed last before a crash must reach the file.
    found['PYTHONUNBUFFERED'] = '1'
    # A variable of a launcher around us would make it one of many.
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'):
        found.pop(name, None)
    if _SOURCE.name not in ('site-packages', 'dist-packages'):
        paths = [str(_SOURCE), found.get('PYTHONPATH', '')]
        found['PYTHONPATH'] = os.pathsep.join(filter(None, paths))
    return found


def _apart() -> dict[str, Any]:
    """Return how a process outlives this one and its terminal."""
    if os.name == 'nt':
        flags = [getattr(subprocess, name) for name in _WINDOWS]
        return {'creationflags': sum(flags)}
    return {'start_new_session': True}
