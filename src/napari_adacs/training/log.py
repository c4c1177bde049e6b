"""What a run writes down about each step."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.training.run_files import LOG

FILE_NAME = LOG
EVENTS = 'events'
_COLUMNS = ('step', 'time', 'name', 'value')


class StepLog(Protocol):
    """Takes the figures of a step."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write the figures of a step."""

    def close(self) -> None:
        """Finish writing."""


class CsvLog:
    """Figures as rows of step, time, name and value.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    step : int
        Steps of the run that are kept: what a run that was killed wrote
        beyond the checkpoint it resumes from is removed.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        path = folder / FILE_NAME
        _cut(path, step)
        self._file: IO[str] = path.open('a', newline='', encoding='utf-8')
        self._writer = csv.writer(self._file)
        if path.stat().st_size == 0:
            self._writer.writerow(_COLUMNS)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write the figures of a step, for anyone who reads along."""
        now = round(time.time(), 1)
        for name, value in values.items():
            self._writer.writerow([step, now, name, f'{value:.6g}'])
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _cut(path: Path, step: int) -> None:
    """Remove what lies after a step, and a last row that is incomplete."""
    if not path.exists():
        return
    with path.open(newline='', encoding='utf-8') as file:
        rows = list(csv.reader(file))
    kept = [row for row in rows if _belongs(row, step)]
    if len(kept) == len(rows):
        return
    with (
        atomic_path(path) as temporary,
        open(temporary, 'w', newline='', encoding='utf-8') as file,
    ):
        csv.writer(file).writerows(kept)


def _belongs(row: list[str], step: int) -> bool:
    if row == list(_COLUMNS):
        return True
    if len(row) != len(_COLUMNS) or not row[0].isdecimal():
        return False
    return int(row[0]) <= step


class EventLog:
    """Figures as TensorBoard events.

    Parameters
    ----------
    folder : Path
        Folder of the run; the events go into ``events/``.
    step : int
        As for `CsvLog`.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        check_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(
            str(folder / EVENTS), purge_step=step + 1 if step else None
        )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write the figures of a step."""
        for name, value in values.items():
            group = 'validation' if name.startswith('val_') else 'training'
            self._writer.add_scalar(f'{group}/{name}', value, step)

    def close(self) -> None:
        """Write what is waiting, and close the file."""
        self._writer.close()


def check_tensorboard() -> None:
    """Check that TensorBoard events can be written.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    from importlib.util import find_spec

    if find_spec('tensorboard') is None:
        raise InputError(
            "'log.tensorboard' needs the package tensorboard.",
            "Install it with pip install 'napari-adacs[tensorboard]', or "
            'leave the option out; log.csv is written in any case.',
        )


def open_logs(
    folder: Path | None, step: int, tensorboard: bool
) -> list[StepLog]:
    """Return the logs of a run; none without a folder."""
    if folder is None:
        return []
    logs: list[StepLog] = [CsvLog(folder, step)]
    if tensorboard:
        logs.append(EventLog(folder, step))
    return logs
