"""What to train, on what, for how long: all that starts a run."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.runs.files import CONFIG
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.sources.listing import is_made
from napari_adacs.training.toml import config_to_toml


@dataclass(frozen=True)
class TrainingPlan:
    """A run before it starts.

    Parameters
    ----------
    data : tuple of str
        Folders, tables, patterns, ``phantom:N`` or ``shapes:N``, as on the
        command line.
    config : TrainConfig
        What to train; `start_from` names a model or its file.
    folder : Path
        Folder of the run, which may not exist yet.
    device : str, default: 'auto'
        'auto', 'cpu', 'cuda', 'cuda:N' or 'mps'.
    minutes : float, optional
        How long the whole run may take; without it the steps of
        `config.stages` count.

    Raises
    ------
    InputError
        If there are no data or the time is not positive.
    """

    data: tuple[str, ...]
    config: TrainConfig
    folder: Path
    device: str = 'auto'
    minutes: float | None = None

    def __post_init__(self) -> None:
        if not self.data:
            raise InputError(
                'There is nothing to train on.',
                'Choose a folder, a table or a pattern of image pairs.',
            )
        if self.minutes is not None and not self.minutes > 0:
            raise InputError('The minutes to train must be more than 0.')

    def arguments(self) -> list[str]:
        """Return what follows ``napari-adacs``; paths are absolute."""
        folder = absolute(self.folder)
        words = ['train', *(_absolute_data(name) for name in self.data)]
        words += ['--config', str(folder / CONFIG), '-o', str(folder)]
        words += ['--device', self.device]
        if self.minutes is not None:
            words += ['--minutes', f'{self.minutes:g}']
        return words

    @property
    def command(self) -> str:
        """The line that starts the same run in a terminal."""
        words = ['napari-adacs', *self.arguments()]
        if os.name == 'nt':
            return subprocess.list2cmdline(words)
        return shlex.join(words)

    @property
    def toml(self) -> str:
        """The configuration file that the command names."""
        return config_to_toml(self.config)


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return a path that every process understands, '~' included."""
    return Path(os.path.abspath(Path(path).expanduser()))


def _absolute_data(name: str) -> str:
    return name if is_made(name) else str(absolute(name))
