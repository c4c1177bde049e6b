"""Where runs live: the user's folder of runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

from napari_adacs.errors import InputError

VARIABLE = 'NAPARI_ADACS_RUNS'
_MOST = 10_000


def runs_folder() -> Path:
    """Return the folder of the user's runs.

    The environment variable NAPARI_ADACS_RUNS overrides the default.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path.home() / '.napari-adacs' / 'runs'


def new_folder(name: str) -> Path:
    """Make a folder for a new run.

    Parameters
    ----------
    name : str
        What the run is called; made fit for a file name, with a number if
        it is taken.

    Raises
    ------
    InputError
        If the folder cannot be made.
    """
    parent = runs_folder()
    stem = re.sub(r'[^\w.-]+', '-', name).strip('-.') or 'run'
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, _MOST):
            folder = parent / (stem if number == 1 else f'{stem}-{number}')
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise InputError(
            f'A folder for the run cannot be made in {parent}: '
            f'{(error.strerror or type(error).__name__).lower()}.',
            f'Set {VARIABLE} to a folder you may write to.',
        ) from error
    raise InputError(f"There are too many runs called '{stem}' in {parent}.")
