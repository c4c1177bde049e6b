"""``napari-adacs train``."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.cli.console import ProgressLine
from napari_adacs.cli.run_report import RunReport
from napari_adacs.cli.stopping import stop_on_signals
from napari_adacs.cli.train_job import DONE, TrainJob
from napari_adacs.cli.train_progress import TrainProgress
from napari_adacs.errors import InputError
from napari_adacs.io.staging import check_folder
from napari_adacs.models.library import find_model
from napari_adacs.runs.files import CONFIG, RUN, STATUS, read_json
from napari_adacs.runs.plan import absolute
from napari_adacs.runs.process import ProcessId
from napari_adacs.runs.state import State
from napari_adacs.training.config import TrainConfig, load_config
from napari_adacs.training.run_files import CHECKPOINT

if TYPE_CHECKING:
    from napari_adacs.training.sources.opening import TrainingData


def run(chosen: Namespace) -> int:
    """Train a model; the first Ctrl-C stops and keeps a checkpoint."""
    folder = absolute(chosen.out)
    writes = os.environ.get('RANK', '0') == '0'
    check_run(folder, chosen.resume, writes)
    with RunReport(folder, writes) as report:
        return _run(chosen, folder, report)


def _run(chosen: Namespace, folder: Path, report: RunReport) -> int:
    config = _configure(chosen, folder)
    check_folder(folder)
    # torch comes with these: only now, when the configuration is known good
    from napari_adacs.training.devices import training_device
    from napari_adacs.training.processes import named_in_environment
    from napari_adacs.training.train import train

    processes = named_in_environment()
    limited = chosen.minutes is not None and not chosen.resume
    if limited and processes.size > 1:
        raise InputError(
            '--minutes cannot be shared by several processes.',
            'Say in [stages] of the recipe how many steps to train.',
        )
    device = training_device(chosen.device, processes)
    data = _open(chosen, config, folder, report, processes.writes)
    job = TrainJob(chosen, config, folder, device, data, report)
    if processes.writes:
        job.keep_records()
        job.measure_before()
    if limited:
        config = job.fit_to_time(chosen.minutes)
    minutes = chosen.minutes or _minutes_of(folder)
    alone = processes.size == 1
    with (
        ProgressLine(silent=not processes.writes) as line,
        stop_on_signals(patient=processes.size > 1) as stop,
    ):
        shown = TrainProgress(line, report, config, stop, job.reserved)
        keep_to = job.deadline(minutes, shown) if minutes and alone else None
        model = train(
            data.training,
            config,
            validation=data.validation,
            folder=folder,
            resume=chosen.resume,
            device=device,
            progress=shown,
            cancel=shown.stopped,
            pause=shown.paused,
            keep_to=keep_to,
        )
    return job.finish(model, shown) if processes.writes else DONE


def _open(
    chosen: Namespace,
    config: TrainConfig,
    folder: Path,
    report: RunReport,
    writes: bool,
) -> TrainingData:
    from napari_adacs.training.sources.opening import open_data

    with ProgressLine(silent=not writes) as line:

        def reading(share: float, text: str) -> None:
            report.check_wish()
            report.note(State.STARTING, f'{text[:1].upper()}{text[1:]}.')
            line(share, text)

        return open_data(chosen.data, config, folder, reading)


def _configure(chosen: Namespace, folder: Path) -> TrainConfig:
    """Return what to train; the steps of a run in minutes are its own."""
    file = Path(chosen.config)
    limited = chosen.minutes or _minutes_of(folder)
    if chosen.resume and limited is not None:
        file = folder / CONFIG
    config = load_config(file)
    start = chosen.start_from or config.start_from
    # A run that goes on needs its start no more.
    if not start or chosen.resume:
        return config
    entry = find_model(start)
    known = entry.source in ('bundled', 'user')
    named = entry.name if known else str(absolute(entry.path))
    return replace(config, start_from=named)


def _minutes_of(folder: Path) -> float | None:
    """Return how long the run in a folder may take, if it is limited."""
    asked = (read_json(folder / RUN) or {}).get('minutes')
    return float(asked) if isinstance(asked, int | float) else None


def check_run(folder: Path, resume: bool, first: bool = True) -> None:
    """Check that nothing of another run is in the way.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    resume : bool
        Whether the run in it shall go on.
    first : bool, default: True
        Whether this is the first process of a run; the first one is no
        stranger to the others.

    Raises
    ------
    InputError
        If a process trains there, or one has and it is not resumed.
    """
    status = read_json(folder / STATUS) or {}
    process = ProcessId.read(status) if first else None
    if process is not None and process.pid != os.getpid():
        written = float(status.get('written', 0.0))
        ended = State(status.get('state', State.STARTING)).ended
        if not ended and process.alive(folder, written):
            raise InputError(
                f'{folder} is being trained by process {process.pid}.',
                'Stop that one first, or choose another folder.',
            )
    if not resume and (folder / CHECKPOINT).exists():
        raise InputError(
            f'{folder} holds a training run already.',
            'Continue it with --resume, or choose another folder.',
        )
