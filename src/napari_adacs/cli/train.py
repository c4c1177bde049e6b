"""``napari-adacs train``."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.cli.console import ProgressLine, say
from napari_adacs.cli.run_report import RunReport
from napari_adacs.cli.stopping import stop_on_signals
from napari_adacs.cli.train_progress import TrainProgress
from napari_adacs.errors import InputError
from napari_adacs.io.staging import check_folder
from napari_adacs.models.library import find_model
from napari_adacs.runs.files import RUN, STATUS, read_json
from napari_adacs.runs.plan import TrainingPlan, absolute
from napari_adacs.runs.process import ProcessId
from napari_adacs.runs.records import write_config, write_plan
from napari_adacs.runs.state import State
from napari_adacs.training.config import TrainConfig, load_config
from napari_adacs.training.run_files import CHECKPOINT

if TYPE_CHECKING:
    from napari_adacs.training.sources.checking import Skipped
    from napari_adacs.training.sources.opening import TrainingData

_INTERRUPTED = 130
_MOST_NAMED = 5


def run(chosen: Namespace) -> int:
    """Train a model; the first Ctrl-C stops and keeps a checkpoint."""
    folder = absolute(chosen.out)
    _check_run(folder, chosen.resume)
    writes = os.environ.get('RANK', '0') == '0'
    with RunReport(folder, writes) as report:
        return _run(chosen, folder, report)


def _run(chosen: Namespace, folder: Path, report: RunReport) -> int:
    config = _configure(chosen)
    check_folder(folder)
    # torch comes with these: only now, when the configuration is known good
    from napari_adacs.training.devices import training_device
    from napari_adacs.training.processes import named_in_environment
    from napari_adacs.training.train import train

    processes = named_in_environment()
    device = training_device(chosen.device, processes)
    data = _open(chosen, config, folder, report, processes.writes)
    if processes.writes:
        _keep_records(chosen, config, folder, data)
    with (
        ProgressLine(silent=not processes.writes) as line,
        stop_on_signals(patient=processes.size > 1) as stop,
    ):
        shown = TrainProgress(line, report, config, stop)
        train(
            data.training,
            config,
            validation=data.validation,
            folder=folder,
            resume=chosen.resume,
            device=device,
            progress=shown,
            cancel=shown.stopped,
            pause=shown.paused,
        )
    say_or_not = say if processes.writes else _say_nothing
    return _finish(config, chosen.out, shown, report, say_or_not)


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


def _keep_records(
    chosen: Namespace, config: TrainConfig, folder: Path, data: TrainingData
) -> None:
    """Write what is trained, and on what, before training begins."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / RUN).exists():
        write_config(folder, config)
    else:
        write_plan(
            TrainingPlan(tuple(chosen.data), config, folder, chosen.device)
        )
    data.write_report(folder)
    _say_skipped(data.skipped, folder)


def _say_nothing(text: str) -> None:
    """Leave speaking to the first process."""


def _configure(chosen: Namespace) -> TrainConfig:
    config = load_config(chosen.config)
    start = chosen.start_from or config.start_from
    # A run that goes on needs its start no more.
    if not start or chosen.resume:
        return config
    # A model may be named; the configuration keeps the file.
    return replace(config, start_from=str(find_model(start).path))


def _check_run(folder: Path, resume: bool) -> None:
    status = read_json(folder / STATUS) or {}
    process = ProcessId.read(status)
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


def _finish(
    config: TrainConfig,
    out: str,
    shown: TrainProgress,
    report: RunReport,
    say: Callable[[str], None],
) -> int:
    total, reached = config.stages.total, shown.step
    if shown.stopped() and reached < total:
        sentence = f'Stopped after step {reached} of {total}'
        report.say(State.STOPPED, f'{sentence}.', **shown.place())
        say(f'{sentence}; --resume continues.')
        return _INTERRUPTED
    sentence = f'Trained {config.name} for {reached} steps.'
    if reached < total:
        sentence = (
            f'Stopped at step {reached} of {total}: '
            f'{config.stopping.patience} validations without improvement.'
        )
        say(sentence)
    report.say(State.FINISHED, sentence, **shown.place())
    say(
        f'Trained {config.name}: {out}/model.safetensors, log in {out}/log.csv'
    )
    return 0


def _say_skipped(skipped: Sequence[Skipped], folder: Path) -> None:
    for pair in skipped[:_MOST_NAMED]:
        say(f'Skipped {pair.name}: {pair.reason}')
    if len(skipped) > _MOST_NAMED:
        say(f'Skipped {len(skipped)} pairs in all; see {folder}/data.csv')
