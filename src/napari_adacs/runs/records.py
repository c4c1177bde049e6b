"""What a run was asked for, kept in its folder."""

from __future__ import annotations

import time
from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.runs.files import CONFIG, RUN, read_json, write_json
from napari_adacs.runs.plan import TrainingPlan, absolute
from napari_adacs.training.config import TrainConfig, load_config
from napari_adacs.training.toml import config_to_toml


def write_plan(plan: TrainingPlan) -> None:
    """Write what a run does into its folder.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    folder = absolute(plan.folder)
    write_config(folder, plan.config)
    values = {
        'command': plan.command,
        'data': list(plan.data),
        'device': plan.device,
        'minutes': plan.minutes,
        'created': time.time(),
    }
    try:
        write_json(folder / RUN, values)
    except OSError as error:
        raise InputError(
            f'Cannot write to {folder}: {error.strerror}.',
            'Choose a folder you may write to.',
        ) from error


def write_config(folder: Path, config: TrainConfig, note: str = '') -> None:
    """Write the configuration of a run, unless it stands there already.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    config : TrainConfig
        What it trains.
    note : str
        A comment for the first line.
    """
    path = folder / CONFIG
    try:
        if path.exists() and load_config(path) == config:
            return  # perhaps with comments of its author
    except InputError:
        pass
    text = f'# {note}\n' if note else ''
    with atomic_path(path) as temporary:
        temporary.write_text(text + config_to_toml(config), 'utf-8')


def read_plan(folder: Path) -> TrainingPlan:
    """Return what a run in a folder was asked for.

    Raises
    ------
    InputError
        If the folder does not say it.
    """
    values = read_json(folder / RUN)
    if values is None:
        raise InputError(
            f'{folder} does not say what is trained there.',
            'Resume it in a terminal with its command and --resume.',
        )
    minutes = values.get('minutes')
    return TrainingPlan(
        tuple(str(name) for name in values.get('data', ())),
        load_config(folder / CONFIG),
        folder,
        str(values.get('device', 'auto')),
        float(minutes) if isinstance(minutes, int | float) else None,
    )
